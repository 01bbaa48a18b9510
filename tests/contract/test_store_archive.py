"""Exports, and stores made of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from arbo_bo import ArboOptimizer, Objective
from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError
from arbo_bo.experiment import TrialStatus
from arbo_bo.storage.archive import import_csv, import_lines
from arbo_bo.storage.export import export_csv, export_lines
from arbo_bo.storage.store import SQLTrialStore

NASTY = 'out of memory,\n"half" of it; ünï ☃'


@pytest.fixture
def filled(store, trial, completed):
    """Two tasks, with a trial of every status, odd numbers, and something learned."""
    arbo = ArboOptimizer(store)
    arbo.configure_experiment('ü, "t"', parallelism=[1, 3, 8], objective=Objective(2.0), window=7)
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    store.add(
        'ü, "t"',
        [
            completed(0.1 + 0.2, 1e-7, created_at=moment, strategy={"name": "auto", "q": [0.1]}),
            completed(1 / 3, 3e17, parallelism=8, exclusion_reason="odd, it was", run_key="r"),
            trial(status=TrialStatus.FAILED, failure_reason=NASTY, timed_out_after_s=12.5),
            trial(status=TrialStatus.ABANDONED, idempotency_key="k"),
            trial(created_at=moment, lease_expires_at=moment + timedelta(days=900_000)),
            trial(status=TrialStatus.CANDIDATE),
        ],
    )
    for time_s in (90.0, 40.0, 30.0):
        index = arbo.suggest("learned", input_size=5.0).trial_index
        arbo.complete_trial("learned", index, execution_time_s=time_s, startup_time_s=0.25)
    assert arbo.suggest("learned").law is not None
    return store


@pytest.fixture
def other(postgresql_url, tmp_path, store):
    """A store of the other kind."""
    with SQLTrialStore(
        postgresql_url if "sqlite" in store.masked_url else f"sqlite:///{tmp_path / 'other.db'}"
    ) as opened:
        yield opened


def test_round_trip_through_json_lines_is_exact(filled, other):
    lines = list(export_lines(filled))
    assert import_lines(other, lambda: lines) == (2, 10)
    assert list(export_lines(other)) == lines
    assert other.experiments() == filled.experiments()
    assert [e.model.version for e in other.experiments()] == [
        e.model.version for e in filled.experiments()
    ]
    assert other.trials('ü, "t"') == filled.trials('ü, "t"')


def test_imported_task_goes_on_where_it_stopped(filled, other):
    lines = list(export_lines(filled, ["learned"]))
    import_lines(other, lambda: lines)
    for _ in range(2):
        decisions = [ArboOptimizer(s).suggest("learned", cluster_load=0.0) for s in (filled, other)]
        assert replace(decisions[0], trial_id=None) == replace(decisions[1], trial_id=None)


def test_lines_are_plain_json(filled):
    header, task, first, *_ = map(json.loads, export_lines(filled, ["learned"]))
    assert (header["kind"], header["format"], header["schema"]) == (
        "arbo_bo export", 2, filled.head_version)  # fmt: skip
    assert (task["kind"], task["task"], task["trials"], task["sample_count"]) == (
        "task", "learned", 4, 3)  # fmt: skip
    assert (first["kind"], first["execution_time_s"], first["startup_time_s"]) == (
        "trial",
        90.0,
        0.25,
    )


def test_csv_carries_the_trials(filled, other):
    lines = list(export_csv(filled))
    tasks, trials = import_csv(other, lambda: "".join(lines).splitlines(keepends=True))
    assert (tasks, trials) == (2, 10)
    before, after = filled.trials('ü, "t"'), other.trials('ü, "t"')
    assert [(t.status, t.parallelism, t.execution_time_s, t.failure_reason) for t in after] == [
        (t.status, t.parallelism, t.execution_time_s, t.failure_reason) for t in before
    ]
    assert after[0] == replace(before[0], trial_id=after[0].trial_id)
    assert other.experiment("learned").model.sample_count == 3
    assert other.experiment("learned").model.base_input_size == 5.0


def test_csv_adds_to_a_task_that_is_there(filled):
    lines = [line for line in export_csv(filled, ["learned"]) if "RUNNING" not in line]
    import_csv(filled, lambda: lines)
    assert [t.trial_index for t in filled.trials("learned")] == list(range(7))
    assert filled.experiment("learned").model.sample_count == 6


def test_unknown_task_is_not_exported(store):
    with pytest.raises(ExperimentNotFoundError, match="'nope'"):
        list(export_lines(store, ["nope"]))


def broken(lines, number, **changes):
    record = {**json.loads(lines[number - 1]), **changes}
    kept = {key: value for key, value in record.items() if value != "absent"}
    return [*lines[: number - 1], json.dumps(kept) + "\n", *lines[number:]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [], "line 1: the file is empty"),
        (lambda lines: lines[1:], "line 1: this is no export in format 2"),
        (lambda lines: broken(lines, 1, format=3), "line 1: this is no export in format 2"),
        (lambda lines: [*lines[:2], "{oops\n"], "line 3: this is no JSON"),
        (lambda lines: [*lines[:2], "[1]\n"], "line 3: a line must be a JSON object"),
        (lambda lines: lines[:-1], "line 6: task 'learned' must have 4 trials, got 3"),
        (lambda lines: [*lines, lines[-1]], "line 7: .* is there twice"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: a line is a task, or a trial"),
        (lambda lines: [*lines, *lines[1:]], "line 7: task 'learned' exists already"),
        (lambda lines: broken(lines, 2, colour=1), "line 2: unknown 'colour'"),
        (lambda lines: broken(lines, 2, configuration={"format": 99}), "line 2: .*got 99"),
        (lambda lines: broken(lines, 2, task="a\nb"), "line 2: a task's name must be printable"),
        (lambda lines: broken(lines, 2, task=None), "line 2: a task's name must be a string"),
        (lambda lines: broken(lines, 2, alpha="absent"), "line 2: alpha is missing"),
        (lambda lines: broken(lines, 3, execution_time=-1), "line 3: .*execution_time_s must"),
        (lambda lines: broken(lines, 3, execution_time=None), "line 3: .*needs its execution_time"),
        (lambda lines: broken(lines, 3, parallelism=1.5), "line 3: parallelism must be a whole"),
        (lambda lines: broken(lines, 3, created_at="soon"), "line 3: created_at must be a moment"),
        (lambda lines: broken(lines, 3, created_at="2026-01-01T00:00:00"), "line 3: .*aware"),
        (lambda lines: broken(lines, 3, status="DONE"), "line 3: .*DONE"),
        (lambda lines: broken(lines, 3, trial_index=99), "line 3: .*not below the task's next"),
        (lambda lines: broken(lines, 3, strategy=[1]), "line 3: strategy must be an object"),
        (lambda lines: broken(lines, 3, input_size=float("nan")), "line 3: input_size must be fin"),
    ],
)  # fmt: skip
def test_import_says_which_line_is_wrong_and_takes_nothing(filled, spoil, message):
    lines = spoil(list(export_lines(filled, ["learned"])))
    with SQLTrialStore("sqlite://") as empty:
        with pytest.raises(InvalidValueError, match=rf"^{message}.*nothing was imported$"):
            import_lines(empty, lambda: lines)
        assert empty.experiments() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no trials"),
        ("task,trial_index,status\n", "holds no trials"),
        ("task,trial_index,status\nt,,COMPLETED\n", "line 2: trial_index is missing"),
        ("task,trial_index,status,colour\nt,0,RUNNING,red\n", "line 2: unknown 'colour'"),
        ("task,trial_index,status\nt,one,\n", "line 2: trial_index cannot be read"),
        ("task,trial_index,status\nt,0,RUNNING,4\n", "line 2: the line has more or fewer fields"),
        ("task,trial_index,status\n,0,RUNNING\n", "line 2: a task's name must have 1"),
        ("parallelism,execution_time_s\n4,9\n", "no column task, trial_index, status; .*attach"),
        ("task,parallelism,execution_time_s\nt,4,9\n", "no column trial_index, status; .*attach"),
        ('task,trial_index,status\n"t', "this is no CSV"),
    ],
)
def test_csv_says_which_line_is_wrong_and_takes_nothing(store, text, message):
    with pytest.raises(InvalidValueError, match=message):
        import_csv(store, lambda: text.splitlines(keepends=True))
    assert store.experiments() == []


def test_export_of_an_earlier_version_is_read(store, other):
    task = {
        **json.loads(list(export_lines(filled_once(store)))[1]),
        "trials": 1,
    }
    old = {
        "kind": "trial",
        "task": "t",
        "trial_index": 0,
        "status": "COMPLETED",
        "parallelism": 4,
        "phase": "attached",
        "created_at": "2026-01-02T03:04:05+00:00",
        "execution_time": 12.5,
        "startup_time": 0.5,
        "predicted_mean": 13.0,
        "queued_time": 3.0,
    }
    header = {"kind": "arbo_bo export", "format": 1, "schema": "0002"}
    import_lines(other, lambda: map(json.dumps, (header, task, old)))
    (trial,) = other.trials("t")
    assert (trial.execution_time_s, trial.startup_time_s) == (12.5, 0.5)
    assert (trial.predicted_time_s, trial.queued_time_s) == (13.0, 3.0)
    assert trial.trial_id is not None


def test_trials_keep_their_identity_when_they_move_to_another_database(filled, other):
    lines = list(export_lines(filled, ["learned"]))
    import_lines(other, lambda: lines)
    moved = [t.trial_id for t in other.trials("learned")]
    assert moved == [t.trial_id for t in filled.trials("learned")]


def filled_once(store):
    ArboOptimizer(store).attach_trial("t", parallelism=4, execution_time_s=2.0)
    return store
