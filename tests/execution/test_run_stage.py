import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arbo_bo.errors import InvalidValueError
from arbo_bo.execution import StageCommand, StageTiming, run_stage


def shell(script: str, *arguments: str) -> StageCommand:
    """A command that runs a shell script with the arguments $1, $2..."""
    return StageCommand(("sh", "-c", script, "sh", *arguments))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("parallelism", [1, 3, 200])
def test_every_chunk_runs_once_when_the_command_is_chunked(
    parallelism: int, tmp_path: Path
) -> None:
    command = shell('echo >>"$1/$2-of-$3"', str(tmp_path), "{chunk_id}", "{chunks}")

    timing = run_stage(command, parallelism)

    assert names(tmp_path) == {f"{i}-of-{parallelism}" for i in range(parallelism)}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"\n"}
    assert timing.parallelism == timing.processes == parallelism


def test_one_process_runs_when_only_the_degree_is_asked_for(tmp_path: Path) -> None:
    timing = run_stage(shell('echo >>"$1/$2"', str(tmp_path), "{parallelism}"), 8)

    assert names(tmp_path) == {"8"}
    assert (timing.parallelism, timing.processes) == (8, 1)


@pytest.mark.usefixtures("ready")
def test_chunks_run_side_by_side_when_they_wait_for_each_other() -> None:
    script = 'exec 8<>"$READY"; if [ $1 = 0 ]; then read line <&8; else echo >&8; fi'

    timing = run_stage(shell(script, "{chunk_id}"), 2, timeout_s=20)

    assert timing.processes == 2


def test_the_time_spans_first_start_to_last_end_when_chunks_differ(tmp_path: Path) -> None:
    stamps = (
        "import sys, time; start = time.perf_counter(); "
        "open(sys.argv[1], 'w').write(f'{start} {time.perf_counter()}')"
    )
    command = StageCommand((sys.executable, "-c", stamps, f"{tmp_path}/{{chunk_id}}"))

    before = time.perf_counter()
    timing = run_stage(command, 3)
    elapsed_s = time.perf_counter() - before

    times = [path.read_text().split() for path in tmp_path.iterdir()]
    starts, ends = zip(*((float(start), float(end)) for start, end in times), strict=True)
    assert max(ends) - min(starts) < timing.execution_time_s < elapsed_s


def test_the_chunk_is_in_the_environment_when_chunked(tmp_path: Path) -> None:
    script = 'echo "$ARBO_CHUNK_ID $ARBO_CHUNKS $ARBO_PARALLELISM" >"$1/$2"'

    run_stage(shell(script, str(tmp_path), "{chunk_id}"), 2)

    assert (tmp_path / "0").read_text() == "0 2 2\n"
    assert (tmp_path / "1").read_text() == "1 2 2\n"


def test_no_chunk_is_in_the_environment_when_one_process_does_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBO_CHUNK_ID", "5")
    script = 'echo "${ARBO_CHUNK_ID-none} $ARBO_CHUNKS $ARBO_PARALLELISM" >"$1"'

    run_stage(shell(script, str(tmp_path / "seen"), "{chunks}"), 2)

    assert (tmp_path / "seen").read_text() == "none 2 2\n"


def test_given_variables_are_added_when_the_process_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN", "own")
    monkeypatch.setenv("BOTH", "own")
    command = shell('echo "$OWN $BOTH $GIVEN" >"$1"', str(tmp_path / "seen"), "{chunks}")

    run_stage(command, 1, environment={"BOTH": "given", "GIVEN": "given"})

    assert (tmp_path / "seen").read_text() == "own given given\n"


def test_reading_stdin_ends_at_once_when_the_command_reads_it(tmp_path: Path) -> None:
    run_stage(shell('cat >"$1"', str(tmp_path / "read"), "{chunks}"), 1, timeout_s=20)

    assert (tmp_path / "read").read_bytes() == b""


def test_nothing_is_printed_when_output_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    run_stage(shell("echo out; echo err >&2", "{chunk_id}"), 2)

    assert capfd.readouterr() == ("", "")


def test_all_output_goes_to_stderr_when_shown(capfd: pytest.CaptureFixture[str]) -> None:
    run_stage(shell('echo "out $1"; echo "err $1" >&2', "{chunk_id}"), 2, show_output=True)

    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.splitlines()) == ["err 0", "err 1", "out 0", "out 1"]


def test_a_stage_ends_when_a_process_writes_ten_megabytes_to_stderr() -> None:
    timing = run_stage(shell("head -c 10000000 /dev/zero >&2", "{chunks}"), 1, timeout_s=20)

    assert timing.processes == 1


def test_a_stage_ends_when_a_background_process_holds_its_stderr(tmp_path: Path) -> None:
    script = 'sleep 1000 & echo $! >"$1"'

    run_stage(shell(script, str(tmp_path / "pid"), "{chunks}"), 1, timeout_s=20)

    # it was left alone, since the stage ended well
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_no_child_and_no_descriptor_is_left_when_a_stage_has_ended(tmp_path: Path) -> None:
    command = shell('echo $$ >"$1/$2"', str(tmp_path), "{chunk_id}")
    run_stage(command, 1)
    before = os.listdir("/dev/fd")

    run_stage(command, 20)

    assert len(os.listdir("/dev/fd")) <= len(before)  # those of a test before may be gone now
    pids = [int(path.read_text()) for path in tmp_path.iterdir()]
    assert len(pids) == 20
    assert not [pid for pid in pids if _is_child(pid)]


def test_a_timing_is_a_value_when_compared() -> None:
    assert StageTiming(2, 1.5, 2) == StageTiming(2, 1.5, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parallelism": 0}, "parallelism must"),
        ({"timeout_s": 0}, "timeout_s must be greater than 0"),
        ({"timeout_s": float("nan")}, "timeout_s must be finite"),
        ({"grace_s": -1}, "grace_s must be 0 or more"),
        ({"environment": {"A": 1}}, "must be strings"),
        ({"environment": {"A=B": "1"}}, "without '='"),
        ({"environment": {"": "1"}}, "without '='"),
        ({"environment": {"A": "\0"}}, "no NUL"),
    ],
)
def test_a_stage_is_refused_when_an_argument_is_outside_its_domain(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        run_stage(shell("", "{chunks}"), **{"parallelism": 1, **given})  # type: ignore[arg-type]


def test_a_stage_runs_when_its_time_limit_is_beyond_any_clock() -> None:
    assert run_stage(shell("", "{chunks}"), 1, timeout_s=1e200).processes == 1


def _is_child(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def test_torch_stays_unloaded_when_the_package_is_imported() -> None:
    check = "import sys, arbo_bo.execution; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
