"""Experiments: configured, read, kept apart by namespace."""

import json
from dataclasses import replace

import pytest

from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError, StoreError
from arbo_bo.experiment import (
    AmdahlLaw,
    Experiment,
    Learned,
    Objective,
    SearchSpace,
    Strategy,
)
from arbo_bo.storage.store import SQLTrialStore

LEARNED = Learned(AmdahlLaw(t1_s=90.0, p=0.9, c_s=10.0, k=1.2), {"lengthscale": [0.5]})


def read_configuration(sql, task):
    ((stored,),) = sql("SELECT configuration FROM task_models WHERE task_name = :t", t=task)
    return json.loads(stored) if isinstance(stored, str) else stored


def test_configure_gives_none_when_the_task_is_new(store):
    seen = []
    store.configure("a", lambda stored: seen.append(stored) or Experiment("a"))
    assert seen == [None]


def test_configure_gives_what_is_stored_when_there_is_one(store):
    first = store.configure("a", lambda _: Experiment("a", window=7))
    seen = []
    store.configure("a", lambda stored: seen.append(stored) or stored)
    assert seen == [first]


def test_configure_returns_what_is_read_again(store):
    made = Experiment(
        "a",
        search_space=SearchSpace.of([1, 2, 4, 8]),
        objective=Objective(urgency=2.0, price_per_worker_hour=0.3),
        baseline=False,
        alpha=0.9,
    )
    assert store.configure("a", lambda _: made) == store.experiment("a") == made


def test_configure_keeps_what_was_learned_when_the_configuration_changes(store, task):
    store.add(task, [], LEARNED)
    before = store.experiment(task).model
    changed = store.configure(task, lambda e: replace(e, window=3))
    assert (changed.window, changed.model) == (3, before)


def test_configure_changes_nothing_when_the_change_raises(store, task):
    with pytest.raises(ZeroDivisionError):
        store.configure(task, lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.configure("new", lambda _: 1 / 0)
    assert store.experiments() == [Experiment(task)]


def test_configure_leaves_the_version_when_nothing_changes(store, task, sql):
    store.configure(task, lambda e: e)
    assert sql("SELECT version FROM task_models") == [(1,)]


def test_configure_raises_the_version_when_the_row_changes(store, task, sql):
    store.configure(task, lambda e: replace(e, alpha=0.5))
    store.configure(task, lambda e: replace(e, window=5))
    assert sql("SELECT version FROM task_models") == [(3,)]


def test_configure_keeps_unknown_keys_when_a_later_version_wrote_them(store, task, sql):
    stored = read_configuration(sql, task)
    stored["later"] = {"x": 1}
    stored["objective"]["later"] = 2
    sql("UPDATE task_models SET configuration = :c", c=json.dumps(stored))
    store.configure(task, lambda e: replace(e, window=5))
    after = read_configuration(sql, task)
    assert (after["later"], after["objective"]["later"], after["window"]) == ({"x": 1}, 2, 5)


def test_configuration_takes_defaults_when_keys_are_missing(store, task, sql):
    sql("UPDATE task_models SET configuration = :c", c='{"format": 1}')
    assert store.experiment(task) == Experiment(task)


@pytest.mark.parametrize(
    "stored",
    ['{"format": 2}', "{}", "[]", '{"format": 1, "window": -1}', '{"format": 1, "objective": 3}'],
)
def test_experiment_is_refused_when_its_configuration_cannot_be_read(store, task, sql, stored):
    sql("UPDATE task_models SET configuration = :c", c=stored)
    with pytest.raises(StoreError, match="load_sales"):
        store.experiment(task)


def test_configuration_is_stored_as_documented(store, sql):
    store.configure("a", lambda _: Experiment("a", search_space=SearchSpace.of([1, 2, 8])))
    assert read_configuration(sql, "a") == {
        "format": 1,
        "parallelism": [1, 2, 8],
        "default_parallelism": 5,
        "objective": {"urgency": 1.0, "cost_exponent": 0.5, "price_per_worker_hour": None},
        "window": 50,
        "baseline": True,
        "residual": "multiplicative",
        "estimator": "gp",
        "mean": "amdahl",
        "strategy": Strategy().to_json(),
        "lease_s": None,
        "worker_types": [],
    }


def test_a_range_is_stored_by_its_ends(store, task, sql):
    assert read_configuration(sql, task)["parallelism"] == {"min": 1, "max": 32}


def test_law_is_stored_with_the_start_up_in_its_base_time(store, task, sql):
    store.add(task, [], LEARNED)
    columns = "t_base_1, p_obs, c_startup, k_exponent"
    assert sql(f"SELECT {columns} FROM task_models") == [(100.0, 0.9, 10.0, 1.2)]
    assert store.experiment(task).model.law == LEARNED.law


def test_law_can_be_read_when_the_start_up_outweighs_the_work(store, task):
    store.add(task, [], Learned(AmdahlLaw(t1_s=1e-20, p=0.5, c_s=1e5), {}))
    assert store.experiment(task).model.law.runtime_s(1) == 1e5


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), object(), {"a": {1, 2}}])
def test_learned_is_refused_when_it_is_not_json(store, task, trial, bad):
    with pytest.raises(InvalidValueError, match="hyperparameters"):
        store.add(task, [trial()], Learned(LEARNED.law, {"x": bad}))
    assert store.trials(task) == []


def test_experiments_are_listed_by_name(store):
    for name in ("b", "ä", "B", "a"):
        store.configure(name, lambda _, name=name: Experiment(name))
    assert [e.name for e in store.experiments()] == ["B", "a", "b", "ä"]


def test_namespaces_see_nothing_of_each_other(store, task, trial, store_url):
    store.add(task, [trial(parallelism=8)])
    with SQLTrialStore(store_url, namespace="other") as other:
        assert (other.experiments(), other.running_workers()) == ([], 0)
        other.configure(task, lambda _: Experiment(task, window=2))
        assert [t.trial_index for t in other.add(task, [trial()])] == [0]
        assert other.experiment(task).namespace == "other"
    assert (store.experiment(task).window, store.running_workers()) == (50, 8)


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.experiment("b"),
        lambda s: s.trials("b"),
        lambda s: s.trial("b", 0),
        lambda s: s.history("b", 5),
        lambda s: s.add("b", []),
        lambda s: s.change("b", 0, lambda t: t),
    ],
)
def test_unknown_task_is_named_in_the_error(lasting_store, ask):
    with pytest.raises(ExperimentNotFoundError, match=r"'b'.*'default'"):
        ask(lasting_store)


@pytest.mark.parametrize("name", ["", " a", "a\0b", "a\nb", "\ud800", "x" * 256, None, 3])
def test_name_is_refused_when_it_is_none(lasting_store, name):
    with pytest.raises(InvalidValueError, match="name"):
        lasting_store.experiment(name)


@pytest.mark.parametrize("name", ["x" * 255, "日本 'quoted' \"%s\" %(a)s :b ?", "a;--", "🚀"])
def test_names_are_data_and_not_sql(store, name):
    store.configure(name, lambda _: Experiment(name))
    assert store.experiment(name).name == name
