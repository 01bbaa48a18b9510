"""Runs out of a CSV: a person's own, or an export."""

import csv
import io
import tracemalloc

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.errors import InvalidValueError
from arbo_bo.storage.archive import import_csv
from arbo_bo.storage.export import export_csv, export_lines


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as opened:
        yield opened


@pytest.fixture
def light(sqlite_url):
    with ArboOptimizer(sqlite_url) as opened:
        yield opened


def runs(path, count):
    with path.open("w") as file:
        print("parallelism,execution_time_s,input_size", file=file)
        for number in range(count):
            print(f"{1 + number % 8},{10 + number % 97},{number % 5 or ''}", file=file)
    return path


@pytest.fixture
def exported(arbo, tmp_path):
    """A task's export: two that train, an excluded one, a failed one, a running one."""
    arbo.attach_trial("t", parallelism=1, execution_time_s=10, input_size=5)
    arbo.attach_trial("t", parallelism=2, execution_time_s=6, startup_time_s=1, cluster_load=3)
    arbo.attach_trial("t", parallelism=4, execution_time_s=99)
    arbo.exclude_trial("t", 2, reason="the disk was slow")
    arbo.mark_trial_failed("t", arbo.suggest("t").trial_index)
    arbo.suggest("t")
    path = tmp_path / "t.csv"
    path.write_text("".join(export_csv(arbo.store)))
    return path


def test_export_is_attached_to_another_task(arbo, exported):
    added = arbo.attach_csv("u", exported)
    assert (added.first, added.count, added.known) == (0, 2, 0)
    first, second = arbo.trials("u")
    assert (first.parallelism, first.execution_time_s, first.input_size) == (1, 10, 5)
    assert (second.startup_time_s, second.cluster_load) == (1, 3)


def test_export_adds_nothing_to_the_task_that_it_is_of(arbo, exported):
    assert arbo.attach_csv("t", exported).count == 0
    arbo.attach_csv("u", exported)
    assert arbo.attach_csv("u", exported).known == 2


def test_export_of_several_tasks_is_refused(arbo, exported):
    arbo.attach_trial("v", parallelism=1, execution_time_s=10)
    exported.write_text("".join(export_csv(arbo.store)))
    with pytest.raises(InvalidValueError, match=r"runs of 't' and of 'v'; arbo import adds each"):
        arbo.attach_csv("w", exported)
    assert "w" not in {e.name for e in arbo.experiments()}


def test_trials_over_several_batches_keep_their_order_and_count(arbo, tmp_path):
    arbo.attach_trial("t", parallelism=1, execution_time_s=10)
    added = arbo.attach_csv("t", runs(tmp_path / "runs.csv", 2345))
    assert (added.first, added.count, added.known) == (1, 2345, 0)
    times = [t.execution_time_s for t in arbo.each_trial("t", 1)]
    assert times == [10 + number % 97 for number in range(2345)]
    experiment = arbo.experiment("t")
    assert (experiment.model.sample_count, experiment.model.base_input_size) == (2346, 1)


def test_nothing_is_added_when_a_late_row_is_wrong(arbo, tmp_path):
    path = runs(tmp_path / "runs.csv", 2345)
    with path.open("a") as file:
        print("1,-5,", file=file)
    with pytest.raises(InvalidValueError, match="line 2347: execution_time_s must be"):
        arbo.attach_csv("t", path)
    assert arbo.experiments() == []


def test_lines_are_counted_while_they_are_read(light, tmp_path):
    told = []
    light.attach_csv("t", runs(tmp_path / "runs.csv", 3000), told.append)
    assert told == [1000, 2000, 3000]


def test_each_trial_is_as_in_the_list_of_all(arbo, tmp_path):
    arbo.attach_csv("t", runs(tmp_path / "runs.csv", 1500))
    assert list(arbo.each_trial("t")) == arbo.trials("t")
    assert [t.trial_index for t in arbo.each_trial("t", 1498)] == [1498, 1499]


@pytest.mark.parametrize("write", [export_csv, export_lines])
def test_export_over_several_batches_is_whole(arbo, tmp_path, write):
    arbo.attach_csv("t", runs(tmp_path / "runs.csv", 2345))
    told = []
    lines = list(write(arbo.store, None, told.append))
    assert told == [1000, 2000]
    assert len(lines) == 2345 + (1 if write is export_csv else 2)
    if write is export_csv:
        rows = list(csv.DictReader(io.StringIO("".join(lines))))
        assert [int(row["trial_index"]) for row in rows] == list(range(2345))


def lines_of(path):
    with path.open() as file:
        yield from file


def peak_mb(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", ["attach", "export", "import", "show"])
def test_memory_does_not_grow_with_the_number_of_trials(light, tmp_path, what):
    def work(task, count):
        path = runs(tmp_path / f"{task}.csv", count)
        if what == "attach":
            return peak_mb(lambda: light.attach_csv(task, path))
        light.attach_csv(task, path)
        if what == "export":
            return peak_mb(lambda: sum(map(len, export_lines(light.store, [task]))))
        if what == "import":
            path.write_text("".join(export_csv(light.store, [task])))
            light.delete_experiment(task)
            return peak_mb(lambda: import_csv(light.store, lambda: lines_of(path)))
        return peak_mb(lambda: sum(t.parallelism for t in light.each_trial(task)))

    work("warm", 1500)
    assert work("many", 8000) < 1.3 * work("few", 2000) + 1.0


def test_import_keeps_the_order_of_lines_when_tasks_take_turns(arbo):
    for task in ("a", "b"):
        for degree in (1, 2, 3):
            arbo.attach_trial(task, parallelism=degree, execution_time_s=10)
    header, *lines = export_csv(arbo.store)
    turns = [lines[place] for place in (0, 3, 1, 4, 2, 5)]
    assert import_csv(arbo.store, lambda: [header, *turns * 400]) == (2, 2400)
    degrees = [t.parallelism for t in arbo.each_trial("a", 3)]
    assert degrees == [1, 2, 3] * 400
    assert arbo.experiment("b").model.sample_count == 1203
