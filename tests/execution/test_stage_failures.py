import os
import pickle
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbo_bo.errors import ArboError, CommandError, StageFailedError, StageTimeoutError
from arbo_bo.execution import ChunkFailedError, StageCommand, StageTimeLimitError, run_stage

from .conftest import HOLD, Lifeline


def shell(script: str, *arguments: str) -> StageCommand:
    return StageCommand(("sh", "-c", script, "sh", *(arguments or ("{chunk_id}",))))


def failure(script: str, parallelism: int = 1, **options: object) -> ChunkFailedError:
    with pytest.raises(ChunkFailedError) as caught:
        run_stage(shell(script), parallelism, **options)  # type: ignore[arg-type]
    return caught.value


def last_one_fails(others: str) -> str:
    """A script of which chunk 3 fails, once chunks 0 to 2 have done `others` up to a byte sent."""
    return (
        'exec 8<>"$READY"; if [ $1 = 3 ]; then read a <&8; read a <&8; read a <&8; '
        f"echo broken >&2; exit 7; fi; {HOLD}{others}"
    )


@pytest.mark.usefixtures("ready")
def test_the_others_are_ended_when_a_chunk_fails(lifeline: Lifeline) -> None:
    error = failure(last_one_fails("echo >&8; exec sleep 1000"), 4)

    assert lifeline.count_until_all_ended() == 3
    assert str(error) == "chunk 3 of 4 exited with status 7: broken"
    assert (error.chunk_id, error.returncode, error.stderr_tail) == (3, 7, "broken\n")


@pytest.mark.usefixtures("ready")
def test_every_group_is_gone_when_a_chunk_fails(tmp_path: Path) -> None:
    script = last_one_fails(f'echo $$ >"{tmp_path}/$1.pid"; echo >&8; exec sleep 1000')

    failure(script.replace(HOLD, ""), 4)

    groups = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
    assert len(groups) == 3
    assert not [group for group in groups if _exists(group)]


@pytest.mark.usefixtures("ready")
def test_grandchildren_are_ended_when_a_chunk_fails(lifeline: Lifeline) -> None:
    failure(last_one_fails("sleep 1000 & sleep 1000 & echo >&8; wait"), 4)

    assert lifeline.count_until_all_ended() == 3


def test_its_own_children_are_ended_when_a_chunk_fails(lifeline: Lifeline) -> None:
    failure(HOLD + "sleep 1000 & exit 1")

    assert lifeline.count_until_all_ended() == 1


@pytest.mark.usefixtures("ready")
def test_a_grandchild_has_the_grace_period_when_its_parent_ends_before_it(
    lifeline: Lifeline, tmp_path: Path
) -> None:
    # the grandchild answers SIGTERM with work: it ends once its sleep of 0.2 s is over
    worker = f"trap 'sleep 0.2; echo >\"{tmp_path}/clean\"; exit' TERM; echo >&8; sleep 1000 & wait"
    script = (
        'exec 8<>"$READY"; if [ $1 = 1 ]; then read a <&8; exit 1; fi; '
        f"{HOLD}({worker}) & exec sleep 1000"
    )
    failure(script, 2, grace_s=20)

    assert lifeline.count_until_all_ended() == 1
    assert (tmp_path / "clean").exists()


@pytest.mark.usefixtures("ready")
def test_a_process_is_killed_when_it_ignores_sigterm(lifeline: Lifeline) -> None:
    failure(last_one_fails("trap '' TERM; echo >&8; exec sleep 1000"), 4, grace_s=0.1)

    assert lifeline.count_until_all_ended() == 3


@pytest.mark.usefixtures("ready")
def test_a_grandchild_is_killed_when_only_it_ignores_sigterm(lifeline: Lifeline) -> None:
    script = last_one_fails("(trap '' TERM; echo >&8; exec sleep 1000) & exec sleep 1000")

    failure(script, 4, grace_s=0.1)

    assert lifeline.count_until_all_ended() == 3


def test_the_signal_is_named_when_a_process_is_killed() -> None:
    error = failure("kill -KILL $$")

    assert str(error) == "chunk 0 of 1 was killed by SIGKILL (out of memory?)"
    assert error.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kill -SEGV $$", "chunk 0 of 1 was killed by SIGSEGV"),
        ("kill -40 $$", "chunk 0 of 1 was killed by signal 40"),
        ("exit 137", "chunk 0 of 1 exited with status 137 (out of memory?)"),
        ("exit 255", "chunk 0 of 1 exited with status 255"),
        ("printf 'why\\n\\n' >&2; exit 1", "chunk 0 of 1 exited with status 1: why"),
        (
            "printf '\\033[31mred\\033[0m\\007!' >&2; exit 1",
            "chunk 0 of 1 exited with status 1: red !",
        ),
    ],
)
def test_the_message_is_one_clear_line_when_a_process_fails(script: str, message: str) -> None:
    assert str(failure(script)) == message


def test_the_message_speaks_of_the_command_when_one_process_does_all() -> None:
    with pytest.raises(ChunkFailedError, match=r"^the command exited with status 3$"):
        run_stage(shell("exit 3", "{chunks}"), 8)


def test_the_last_lines_are_kept_when_stderr_is_long() -> None:
    error = failure("seq 100000 >&2; exit 1")

    assert error.stderr_tail.splitlines() == [str(i) for i in range(99_981, 100_001)]


def test_four_kilobytes_are_kept_when_a_line_never_ends() -> None:
    error = failure("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1")

    assert error.stderr_tail == "x" * 4096
    assert len(str(error)) < 300


def test_what_a_chunk_writes_takes_no_room_when_it_is_much(tmp_path: Path) -> None:
    # The open files of this process, deleted ones included, while 50 MB have been written.
    script = 'head -c 50000000 /dev/zero >&2; du -Lsc /proc/$1/fd/* 2>&1 | tail -1 >"$2"; exit 1'
    before = shell(script, str(os.getpid()), f"{tmp_path}/{{chunks}}")

    with pytest.raises(ChunkFailedError):
        run_stage(before, 1)

    assert int((tmp_path / "1").read_text().split()[0]) < 10_000  # KiB


def test_background_processes_go_on_when_they_write_after_the_end(
    lifeline: Lifeline, tmp_path: Path
) -> None:
    late = f'read a <"{tmp_path}/go"; echo late >&2 && echo lived >"{tmp_path}/lived"'
    os.mkfifo(tmp_path / "go")

    run_stage(shell(f"{HOLD}({late}) & exit 0"), 1)
    (tmp_path / "go").write_text("go\n")

    assert lifeline.count_until_all_ended() == 1
    assert (tmp_path / "lived").exists()


def test_output_is_shown_as_it_comes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_stage(shell("echo one >&2; printf two >&2"), 1, show_output=True)

    assert capfd.readouterr() == ("", "one\ntwo")


def test_stderr_is_decoded_when_it_is_no_utf8() -> None:
    assert failure("printf 'caf\\303\\251 \\377' >&2; exit 1").stderr_tail == "café \ufffd"


def test_nothing_is_overwritten_when_a_program_opens_its_stderr_anew() -> None:
    error = failure("echo first >&2; echo second >>/dev/stderr; echo third >&2; exit 1")

    assert error.stderr_tail == "first\nsecond\nthird\n"


def test_the_tail_is_kept_when_output_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    error = failure("echo why >&2; exit 1", show_output=True)

    assert error.stderr_tail == "why\n"
    assert capfd.readouterr() == ("", "why\n")


def test_all_processes_are_ended_when_the_time_limit_passes(lifeline: Lifeline) -> None:
    with pytest.raises(StageTimeoutError) as caught:
        run_stage(shell(HOLD + "exec sleep 1000"), 4, timeout_s=0.5)

    lifeline.count_until_all_ended()
    assert isinstance(caught.value, StageTimeLimitError)
    assert caught.value.timeout_s == 0.5
    assert "did not end within 0.5 s; 4 of its 4 processes" in str(caught.value)


def test_the_stage_ends_when_the_time_limit_passes_before_all_are_started() -> None:
    with pytest.raises(StageTimeoutError):
        run_stage(shell("exec sleep 1000"), 200, timeout_s=1e-9)


def test_the_command_is_at_fault_when_a_later_program_does_not_exist(
    lifeline: Lifeline, program: Callable[..., Path]
) -> None:
    program("run0", f"#!/bin/sh\n{HOLD}exec sleep 1000\n")
    path = program("run1", f"#!/bin/sh\n{HOLD}exec sleep 1000\n").with_name("run{chunk_id}")

    with pytest.raises(CommandError, match=r"^chunk 2 of 4 could not be started: .*not found"):
        run_stage(StageCommand((str(path),)), 4)

    lifeline.count_until_all_ended()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!/no/such/interpreter\n", "does the interpreter in its first line exist"),
        ("echo no first line\n", "its first line must name an interpreter"),
    ],
)
def test_the_command_is_at_fault_when_its_program_cannot_be_executed(
    text: str, message: str, program: Callable[..., Path]
) -> None:
    command = StageCommand((str(program("job", text)), "{chunks}"))

    with pytest.raises(CommandError, match=message):
        run_stage(command, 1)


def test_the_command_is_at_fault_when_its_arguments_are_too_long() -> None:
    with pytest.raises(CommandError, match="Argument list too long"):
        run_stage(shell("", "{chunks}", "x" * 10_000_000), 1)


@pytest.fixture
def few_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_the_stage_fails_when_there_are_too_many_open_files() -> None:
    with pytest.raises(StageFailedError, match="Too many open files"):
        run_stage(shell("exec sleep 1000"), 200)


def test_no_descriptor_is_left_when_a_stage_fails() -> None:
    failure("exit 1", 3)
    before = os.listdir("/dev/fd")

    failure("exit 1", 3)

    assert len(os.listdir("/dev/fd")) == len(before)


@pytest.mark.parametrize(
    "error",
    [
        ChunkFailedError("a message", chunk_id=3, returncode=-9, stderr_tail="tail"),
        StageTimeLimitError("a message", timeout_s=2.5, chunk_id=1, stderr_tail="tail"),
    ],
)
def test_an_error_keeps_its_attributes_when_pickled(error: ArboError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), vars(copy)) == (str(error), vars(error))


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
