"""Tables of measured runs: what is read, and one clear error for each thing that is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_samples import SCAN, SORT, row

from arbo_bo.benchmarks.sources.folder import find_folder, require_folder, shipped_genome
from arbo_bo.benchmarks.sources.table import COLUMNS, REQUIRED, read_recordings
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context

Write = Callable[..., Path]


def test_pair_of_task_and_context_is_one_task(write_table: Write) -> None:
    rows = [r | {"context": context} for context in ("", "NA", "m5") for r in SORT]
    tasks = read_recordings(write_table(rows)).tasks
    assert [t.name for t in tasks] == ["sort", "sort @ NA", "sort @ m5"]


def test_rows_of_one_configuration_are_repeats(write_table: Write) -> None:
    (task,) = read_recordings(write_table(SCAN)).tasks
    assert task.contexts == (Context(1.0), Context(2.0))
    assert task.times_s[1] == {1: (10.0, 10.0), 2: (6.0, 6.0), 4: (4.0, 4.0)}


def test_exact_duplicate_row_is_kept_once_with_a_note(write_table: Write) -> None:
    read = read_recordings(write_table([*SORT, SORT[0]]))
    assert read.tasks[0].times_s[0][1] == (9.0,)
    assert read.notes == ("trace.csv: 1 exact duplicate rows were dropped",)


def test_same_time_in_another_repeat_is_a_run_of_its_own(write_table: Write) -> None:
    read = read_recordings(write_table([*SORT, SORT[0] | {"repeat": 1}]))
    assert read.tasks[0].times_s[0][1] == (9.0, 9.0)
    assert not read.notes


def test_task_of_one_degree_is_skipped_with_a_note(write_table: Write) -> None:
    read = read_recordings(write_table([*SORT, row(task="lonely")]))
    assert [t.name for t in read.tasks] == ["sort"]
    assert "1 of 2 tasks were skipped" in read.notes[0]
    assert "lonely" in read.notes[0]


def test_context_of_one_degree_is_dropped(write_table: Write) -> None:
    (task,) = read_recordings(write_table([*SORT, row(input_size=7.0)])).tasks
    assert task.contexts == (Context(1.0),)


def test_error_when_no_task_has_two_degrees(write_table: Write) -> None:
    with pytest.raises(InvalidValueError, match="two degrees of parallelism or more"):
        read_recordings(write_table([row(), row(repeat=1)]))


@pytest.mark.parametrize("missing", REQUIRED)
def test_error_names_the_missing_column(write_table: Write, missing: str) -> None:
    columns = [c for c in COLUMNS if c != missing]
    with pytest.raises(InvalidValueError, match=f"lacks the columns {missing};"):
        read_recordings(write_table(SORT, columns))


def test_degrees_and_times_alone_are_one_task_named_like_the_file(write_table: Write) -> None:
    read = read_recordings(write_table([*SORT, SORT[0]], list(REQUIRED)))
    (task,) = read.tasks
    assert (task.name, task.contexts) == ("trace", (Context(None, None),))
    assert task.times_s[0][1] == (9.0, 9.0)
    assert read.notes == (
        "trace.csv has no column task, context, input_size, input_unit, cluster_load, "
        "price_per_worker_hour, repeat: empty for every run, and all runs are of one task, trace",
    )


@pytest.mark.parametrize("time", ["0", "-3", "nan", "inf", "", "fast", "1e400"])
def test_error_names_the_line_when_a_time_is_bad(write_table: Write, time: str) -> None:
    rows = [*SORT[:2], row(parallelism=4, execution_time_s=time), *SORT[2:]]
    with pytest.raises(InvalidValueError, match=r"execution_time_s must be a time.*line 4: "):
        read_recordings(write_table(rows))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("parallelism", "0"),
        ("parallelism", "1.5"),
        ("parallelism", ""),
        ("input_size", "-1"),
        ("input_size", "big"),
        ("cluster_load", "-1"),
        ("price_per_worker_hour", "-4"),
        ("price_per_worker_hour", "abc"),
        ("task", ""),
    ],
)
def test_error_names_column_and_line_when_a_value_is_bad(
    write_table: Write, column: str, value: str
) -> None:
    with pytest.raises(InvalidValueError, match=f"{column} must be .*line 2: "):
        read_recordings(write_table([row(**{column: value}), *SORT]))


def test_error_names_the_units_when_they_are_mixed(write_table: Write) -> None:
    rows = [*SORT[:3], SORT[3] | {"input_unit": "MB"}]
    with pytest.raises(InvalidValueError, match=r"sort are in mixed units .*'GB', 'MB'"):
        read_recordings(write_table(rows))


def test_unknown_size_and_load_are_none(write_table: Write) -> None:
    (task,) = read_recordings(write_table([r | {"input_size": ""} for r in SORT])).tasks
    assert task.contexts == (Context(None, None),)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "cannot be read as CSV"),
        (",".join(COLUMNS) + "\n", "no rows"),
        (",".join(COLUMNS) + "\n1,2,3,4,5,6,7,8,9\n1,2,3,4,5,6,7,8,9,10\n", "line 3"),
    ],
)
def test_error_when_the_file_is_no_table(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InvalidValueError, match=match):
        read_recordings(path)


def test_error_when_the_file_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\xff\xfe\x00task")
    with pytest.raises(InvalidValueError, match="cannot be read as CSV"):
        read_recordings(path)


def test_a_million_rows_are_read(tmp_path: Path) -> None:
    count = 1_000_000
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(count))
    frame["task"] = np.char.add("t", (np.arange(count) % 500).astype(str))
    frame["parallelism"] = np.arange(count) // 500 % 16 + 1
    frame["execution_time_s"] = 1.5
    frame["repeat"] = np.arange(count)
    path = tmp_path / "large.csv"
    frame.to_csv(path, index=False)
    tasks = read_recordings(path).tasks
    assert len(tasks) == 500
    assert sum(len(times) for t in tasks for times in t.times_s[0].values()) == count


def test_error_says_how_to_name_a_folder_when_there_is_none() -> None:
    with pytest.raises(InvalidValueError, match="ARBO_BENCH_DATA to it or give --data DIR"):
        require_folder(None, "scout")


def test_error_when_the_named_folder_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBO_BENCH_DATA", str(tmp_path / "gone"))
    with pytest.raises(InvalidValueError, match=r"\$ARBO_BENCH_DATA names .*gone"):
        find_folder()


def test_shipped_study_has_its_three_tasks_with_load() -> None:
    tasks = {t.name.split(" @ ")[0]: t for t in shipped_genome().tasks}
    assert set(tasks) == {"individuals", "frequency_ALL", "frequency_AFR"}
    assert tasks["individuals"].times_s[0][1] == (290.0, 291.0, 295.0)
    assert {c.cluster_load for c in tasks["frequency_ALL"].contexts} == {1.0, 2.0, 3.0}
