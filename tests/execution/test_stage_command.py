import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbo_bo.errors import CommandError, InvalidValueError
from arbo_bo.execution import StageCommand
from arbo_bo.execution.command import PLACEHOLDERS

plain_arguments = st.lists(
    st.one_of(
        st.text(alphabet="{}chunks_idparelm$", max_size=20),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    ).filter(lambda argument: not any(name in argument for name in PLACEHOLDERS))
)


@given(arguments=plain_arguments, parallelism=st.integers(1, 50))
@settings(database=None)
def test_arguments_stay_as_they_are_when_they_hold_no_placeholder(
    arguments: list[str], parallelism: int
) -> None:
    command = StageCommand(("sh", *arguments, "{chunks}"))

    assert command.expand(parallelism) == [["sh", *arguments, str(parallelism)]]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("{chunk_id}", ["0", "1", "2"]),
        ("part-{chunk_id}-of-{chunks}.csv", ["part-0-of-3.csv", "part-1-of-3.csv"]),
        ("{chunk_id}{chunk_id}", ["00", "11"]),
        ("{parallelism}/{chunks}/{chunk_id}", ["3/3/0", "3/3/1"]),
        ("{{chunk_id}}", ["{0}", "{1}"]),
        ("${chunk_id}", ["$0", "$1"]),
        ("{chunk_id", None),
        ("{ chunk_id }", None),
        ("{chunk_id!r}", None),
        ("{CHUNK_ID}", None),
        ("{print $1}", None),
        ('{"a": {}}', None),
    ],
)
def test_placeholders_are_replaced_when_exactly_spelt(
    argument: str, expected: list[str] | None
) -> None:
    expanded = StageCommand(("sh", argument, "{chunk_id}")).expand(3)

    replaced = [words[1] for words in expanded]
    assert replaced[: len(expected or "x")] == (expected or [argument])


def test_one_process_per_chunk_when_the_chunk_id_stands_in_the_command() -> None:
    command = StageCommand(("sh", "{chunk_id}", "{chunks}"))

    assert command.is_chunked
    assert command.expand(2) == [["sh", "0", "2"], ["sh", "1", "2"]]


def test_one_process_when_only_the_degree_stands_in_the_command() -> None:
    command = StageCommand(("sh", "-j{parallelism}", "{chunks}"))

    assert not command.is_chunked
    assert command.expand(8) == [["sh", "-j8", "8"]]


def test_the_program_is_expanded_when_it_holds_a_placeholder() -> None:
    assert StageCommand(("./run_{chunks}.sh",)).expand(4) == [["./run_4.sh"]]


def test_a_command_is_frozen_and_equal_by_value_when_given_a_list() -> None:
    command = StageCommand(["sh", "{chunks}"])  # type: ignore[arg-type]

    assert command == StageCommand(("sh", "{chunks}"))
    assert hash(command) == hash(StageCommand(("sh", "{chunks}")))
    with pytest.raises(dataclasses.FrozenInstanceError):
        command.arguments = ()  # type: ignore[misc]


@pytest.mark.parametrize("parallelism", [0, -1, 1.5, "2", True, float("nan")])
def test_expanding_is_refused_when_the_degree_is_none(parallelism: object) -> None:
    with pytest.raises(InvalidValueError, match="parallelism must"):
        StageCommand(("sh", "{chunks}")).expand(parallelism)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [(), ("",), (" ", "{chunks}")])
def test_a_command_is_refused_when_empty(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="the command is empty"):
        StageCommand(arguments)


def test_a_command_is_refused_when_no_placeholder_stands_in_it() -> None:
    with pytest.raises(CommandError) as caught:
        StageCommand(("sh", "{chunk}"))

    assert "{chunk_id}, {chunks}, {parallelism}" in str(caught.value)
    assert "python job.py --chunk {chunk_id} --of {chunks}" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sh {chunks}", "is a sequence of words"),
        (("sh", "{chunks}", 3), "must be a string"),
        (("sh", "{chunks}\0"), "holds a NUL"),
        (("sh", "{chunks}\ud800"), "cannot be encoded"),
        (("no-such-program", "{chunks}"), "not found on PATH"),
        (("./no-such-program", "{chunks}"), "not found"),
        (("sh -c true", "{chunks}"), "no shell splits the command"),
    ],
)
def test_a_command_is_refused_when_it_cannot_run(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        StageCommand(arguments)


@pytest.mark.parametrize(
    ("name", "executable", "message"),
    [
        ("./job.sh", False, "not executable; use chmod"),
        ("job.sh", True, "write ./job.sh"),
        ("./", True, "is a folder"),
    ],
)
def test_the_message_says_what_to_do_when_the_file_is_there(
    name: str,
    executable: bool,
    message: str,
    program: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program("job.sh", "#!/bin/sh\n", executable=executable)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CommandError, match=message):
        StageCommand((name, "{chunks}"))


def test_the_program_is_found_when_relative_to_the_working_directory(
    program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("job.sh", "#!/bin/sh\n")
    monkeypatch.chdir(tmp_path)

    assert StageCommand(("./job.sh", "{chunks}")).expand(1) == [["./job.sh", "1"]]
