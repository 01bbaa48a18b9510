import logging
import math
import subprocess
import sys

import numpy as np
import pytest

import arbo_bo
from arbo_bo import AmdahlLaw, ArboOptimizer, Objective
from arbo_bo.errors import (
    ArboError,
    DegreeNotAllowedError,
    ExperimentNotFoundError,
    InvalidValueError,
    NotEnoughObservationsError,
    StoreUnavailableError,
    TrialClosedError,
    TrialNotFoundError,
)

LAW = AmdahlLaw(100.0, 0.9, 2.0)


@pytest.fixture
def arbo(store_url):
    with ArboOptimizer(store_url) as optimizer:
        yield optimizer


def run(arbo, task="t", **context):
    decision = arbo.suggest(task, **context)
    time = LAW.runtime_s(decision.parallelism)
    arbo.complete_trial(task, decision.trial_index, execution_time_s=time)
    return decision


def test_task_goes_through_baseline_probe_and_optimize(arbo):
    arbo.configure_experiment("t", parallelism=(1, 16), default_parallelism=4)
    decisions = [run(arbo) for _ in range(4)]
    assert [d.phase for d in decisions] == ["baseline", "probe", "optimize", "optimize"]
    assert [d.parallelism for d in decisions[:2]] == [1, 4]
    assert [d.trial_index for d in decisions] == [0, 1, 2, 3]
    last = decisions[-1]
    assert last.predicted_time_s == pytest.approx(LAW.runtime_s(last.parallelism), rel=0.1)
    assert last.predicted_time_std_s > 0
    assert last.reason.endswith(".")


def test_unknown_task_is_configured_with_defaults_when_it_is_suggested(arbo):
    assert arbo.suggest("new").parallelism == 1
    (experiment,) = arbo.experiments()
    assert experiment.search_space.degrees == tuple(range(1, 33))
    assert experiment.default_parallelism == 5


def test_configuring_again_keeps_trials_and_what_is_left_out(arbo):
    arbo.configure_experiment("t", parallelism=[1, 2, 4], objective=Objective(2.0), window=7)
    run(arbo)
    changed = arbo.configure_experiment("t", baseline=False)
    assert changed.search_space.degrees == (1, 2, 4)
    assert (changed.objective.urgency, changed.window, changed.baseline) == (2.0, 7, False)
    assert len(arbo.trials("t")) == 1
    assert arbo.experiment("t").model.sample_count == 1


def test_default_outside_the_space_is_refused(arbo):
    with pytest.raises(DegreeNotAllowedError):
        arbo.configure_experiment("t", parallelism=(1, 4), default_parallelism=8)
    assert arbo.experiments() == []


def test_load_is_the_degrees_of_all_other_running_trials(arbo):
    assert arbo.suggest("a").cluster_load == 0
    arbo.configure_experiment("b", parallelism=[3])
    assert arbo.suggest("b").cluster_load == 1
    assert arbo.suggest("a").cluster_load == 4
    assert arbo.suggest("a", cluster_load=50).cluster_load == 50


def test_load_forgets_trials_that_ended(arbo):
    one = arbo.suggest("a")
    two = arbo.suggest("b")
    arbo.mark_trial_failed("a", one.trial_index)
    arbo.mark_trial_abandoned("b", two.trial_index)
    assert arbo.suggest("c").cluster_load == 0


def test_namespaces_do_not_see_each_other(store_url):
    ours, theirs = ArboOptimizer(store_url), ArboOptimizer(store_url, namespace="theirs")
    ours.suggest("t")
    assert theirs.experiments() == []
    assert theirs.suggest("t").cluster_load == 0
    with pytest.raises(ExperimentNotFoundError):
        theirs.trials("u")


def test_base_size_is_the_first_completed_trials_known_size(arbo):
    arbo.configure_experiment("t", window=1)
    first = arbo.suggest("t")
    arbo.complete_trial("t", first.trial_index, execution_time_s=1)
    second = arbo.suggest("t", input_size=10)
    assert second.input_scale_factor == 1
    arbo.complete_trial("t", second.trial_index, execution_time_s=2)
    third = arbo.suggest("t", input_size=40)
    assert third.input_scale_factor == 4
    arbo.complete_trial("t", third.trial_index, execution_time_s=3)
    assert arbo.suggest("t", input_size=20).input_scale_factor == 2
    assert arbo.experiment("t").model.base_input_size == 10


def test_size_may_come_at_completion(arbo):
    decision = arbo.suggest("t")
    done = arbo.complete_trial("t", decision.trial_index, execution_time_s=1, input_size=7)
    assert done.input_size == 7
    assert arbo.experiment("t").model.base_input_size == 7


def test_failed_and_abandoned_trials_never_train(arbo):
    for _ in range(3):
        run(arbo)
    before = arbo.predict("t", parallelism=[8], cluster_load=0)
    failed, abandoned = arbo.suggest("t"), arbo.suggest("t")
    arbo.mark_trial_failed("t", failed.trial_index, reason="OOM", timed_out_after_s=1e6)
    arbo.mark_trial_abandoned("t", abandoned.trial_index)
    (after,) = arbo.predict("t", parallelism=[8], cluster_load=0)
    assert after.mean_s == pytest.approx(before[0].mean_s, rel=1e-3)
    stored = arbo.trials("t")[failed.trial_index]
    assert (stored.failure_reason, stored.timed_out_after_s) == ("OOM", 1e6)
    assert arbo.experiment("t").model.sample_count == 3


def test_completing_twice_is_a_no_op_when_the_time_is_the_same(arbo):
    decision = run(arbo)
    time = LAW.runtime_s(decision.parallelism)
    arbo.complete_trial("t", decision.trial_index, execution_time_s=time)
    assert arbo.experiment("t").model.sample_count == 1
    with pytest.raises(TrialClosedError):
        arbo.complete_trial("t", decision.trial_index, execution_time_s=2 * time)
    assert arbo.trials("t")[0].execution_time_s == time


def test_history_from_elsewhere_trains(arbo):
    for s in (1, 4, 8):
        trial = arbo.attach_trial("t", parallelism=s, execution_time_s=LAW.runtime_s(s))
    assert (trial.trial_index, trial.status, trial.phase) == (2, "COMPLETED", "attached")
    assert arbo.suggest("t").phase == "optimize"


def test_history_is_added_all_or_none(arbo):
    rows = [{"parallelism": 1, "execution_time_s": 5}, {"parallelism": 99, "execution_time_s": 5}]
    with pytest.raises(DegreeNotAllowedError, match=r"row 2 of 2.*99"):
        arbo.attach_trials("t", rows)
    assert arbo.experiments() == []


def test_predictions_are_distributions(arbo):
    for _ in range(4):
        run(arbo)
    one, two = arbo.predict("t", parallelism=[1, 2])
    assert [one.parallelism, two.parallelism] == [1, 2]
    assert one.quantile_s(0.05) < one.mean_s < one.quantile_s(0.95)
    assert one.std_s > 0
    assert len(arbo.predict("t")) == 32
    with pytest.raises(DegreeNotAllowedError):
        arbo.predict("t", parallelism=[64])


def test_prediction_is_refused_when_nothing_is_known(arbo):
    arbo.configure_experiment("t")
    with pytest.raises(NotEnoughObservationsError):
        arbo.predict("t")


def test_law_and_hyperparameters_are_stored_with_the_decision(arbo):
    for _ in range(3):
        run(arbo)
    model = arbo.experiment("t").model
    assert model.law.p == pytest.approx(0.9, abs=0.1)
    assert model.hyperparameters["law"]["p"] == model.law.p
    fourth = run(arbo)
    assert arbo.trials("t")[-1].residual_s == pytest.approx(
        LAW.runtime_s(fourth.parallelism)
        - arbo.experiment("t").model.law.runtime_s(fourth.parallelism)
    )


def test_block_is_timed_and_completed(arbo):
    with arbo.trial("t", input_size=3) as decision:
        pass
    (trial,) = arbo.trials("t")
    assert (trial.status, trial.parallelism) == ("COMPLETED", decision.parallelism)
    assert trial.execution_time_s > 0


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("boom"), "FAILED"), (KeyboardInterrupt(), "ABANDONED")],
)
def test_block_that_raises_closes_its_trial(arbo, error, status):
    with pytest.raises(type(error)), arbo.trial("t"):
        raise error
    (trial,) = arbo.trials("t")
    assert trial.status == status
    assert type(error).__name__ in trial.failure_reason


def test_block_keeps_its_own_error_when_the_store_is_gone(arbo, monkeypatch, caplog):
    def gone(*arguments):
        raise StoreUnavailableError("gone")

    decision = arbo.trial("t")
    decision.__enter__()
    monkeypatch.setattr(arbo.store, "change", gone)
    error = RuntimeError("boom")
    assert decision.__exit__(RuntimeError, error, None) is False  # so that it goes on its way
    assert "could not be closed" in caplog.text


def test_block_may_complete_its_trial_itself(arbo):
    with arbo.trial("t") as decision:
        arbo.complete_trial("t", decision.trial_index, execution_time_s=42)
    assert arbo.trials("t")[0].execution_time_s == 42


def test_optimal_parallelism_makes_no_trial(arbo):
    for _ in range(3):
        run(arbo)
    degree = arbo.get_optimal_parallelism("t", default_val=31)
    assert degree == arbo.decide("t").parallelism != 31
    assert len(arbo.trials("t")) == 3


@pytest.mark.parametrize("known", [False, True])
def test_optimal_parallelism_is_the_default_when_nothing_is_known(arbo, known, caplog):
    if known:
        arbo.suggest("t")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert arbo.get_optimal_parallelism("t", default_val=4) == 4
    assert "default parallelism 4" in caplog.text


def test_optimal_parallelism_is_the_default_when_the_store_is_down(tmp_path, caplog):
    arbo = ArboOptimizer("postgresql://nobody:s3cret@127.0.0.1:1/none")
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert arbo.get_optimal_parallelism("t", default_val=4) == 4
    assert "s3cret" not in caplog.text + repr(arbo)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "x", True])
@pytest.mark.parametrize(
    "call",
    [
        lambda a, v: a.suggest("t", input_size=v),
        lambda a, v: a.complete_trial("t", 0, execution_time_s=v),
        lambda a, v: a.attach_trial("t", parallelism=1, execution_time_s=v),
        lambda a, v: a.attach_trial("t", parallelism=v, execution_time_s=1),
        lambda a, v: a.mark_trial_failed("t", 0, timed_out_after_s=v),
        lambda a, v: a.configure_experiment("t", window=v),
    ],
)  # fmt: skip
def test_value_is_refused_when_it_is_outside_its_domain(arbo, call, value):
    arbo.suggest("t")
    before = arbo.trials("t")
    with pytest.raises(InvalidValueError):
        call(arbo, value)
    assert arbo.trials("t") == before


@pytest.mark.parametrize(
    "call",
    [
        lambda a: a.complete_trial("t", 7, execution_time_s=1),
        lambda a: a.mark_trial_failed("t", 7),
        lambda a: a.mark_trial_abandoned("t", 7),
    ],
)
def test_unknown_trial_is_named(arbo, call):
    arbo.suggest("t")
    with pytest.raises(TrialNotFoundError, match="task 't' has no trial 7"):
        call(arbo)


def test_unknown_task_is_named(arbo):
    with pytest.raises(ExperimentNotFoundError, match="'nope'"):
        arbo.complete_trial("nope", 0, execution_time_s=1)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 300, 7, None])
def test_task_name_is_refused_when_it_cannot_be_shown(arbo, name):
    with pytest.raises(ArboError):
        arbo.suggest(name)


SUGGEST = """
import sys
from arbo_bo import ArboOptimizer
arbo = ArboOptimizer(sys.argv[1])
sys.stdin.readline()
decision = arbo.suggest("new")
print(decision.trial_index, decision.parallelism)
"""


def test_two_processes_that_ask_at_once_get_two_trials_and_two_degrees(store_url):
    command = [sys.executable, "-c", SUGGEST, store_url]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = sorted(process.communicate(timeout=120)[0].split() for process in processes)
    assert [index for index, _ in answers] == ["0", "1"]
    assert sorted(degree for _, degree in answers) == ["1", "5"]


def test_decision_is_taken_anew_when_the_task_changes_meanwhile(arbo, monkeypatch):
    arbo.configure_experiment("t", parallelism=[16])
    history, other = arbo.store.history, ArboOptimizer(arbo.store)

    def changed_meanwhile(*arguments):
        monkeypatch.undo()
        trials = history(*arguments)
        other.configure_experiment("t", parallelism=[3])
        return trials

    monkeypatch.setattr(arbo.store, "history", changed_meanwhile)
    assert arbo.suggest("t").parallelism == 3


def test_decision_stands_at_last_when_the_task_changes_all_the_time(arbo, monkeypatch):
    history, other = arbo.store.history, ArboOptimizer(arbo.store)
    windows = iter(range(2, 99))

    def changed_meanwhile(*arguments):
        trials = history(*arguments)
        other.configure_experiment("t", window=next(windows))
        return trials

    monkeypatch.setattr(arbo.store, "history", changed_meanwhile)
    assert arbo.suggest("t").trial_index == 0


def test_measured_startup_reaches_the_law(arbo):
    for s in (1, 2, 4, 8, 16):
        arbo.attach_trial("t", parallelism=s, execution_time_s=LAW.runtime_s(s), startup_time_s=7)
    arbo.suggest("t")
    assert arbo.experiment("t").model.law.c_s == pytest.approx(7, rel=0.4)


def test_startup_of_zero_is_a_measurement(arbo):
    times = {s: LAW.runtime_s(s) for s in (1, 2, 4, 8, 16)}
    for s, time in times.items():
        startup = 10 if s == 16 else 0
        arbo.attach_trial("t", parallelism=s, execution_time_s=time, startup_time_s=startup)
    arbo.suggest("t")
    assert arbo.experiment("t").model.law.c_s < 1


def test_original_algorithm_decides_when_it_is_the_estimator(arbo):
    arbo.configure_experiment("t", parallelism=(1, 8), estimator="online", alpha=0.5)
    decisions = [run(arbo) for _ in range(4)]
    assert decisions[-1].phase == "optimize"
    assert arbo.experiment("t").model.law.p == pytest.approx(0.9, abs=0.05)
    (prediction,) = arbo.predict("t", parallelism=4)
    assert prediction.mean_s == pytest.approx(LAW.runtime_s(4), rel=0.1)


@pytest.mark.parametrize("degrees", [[], [1.5], "4", ["4"], [None], [0]])
def test_prediction_is_refused_when_a_degree_is_none(arbo, degrees):
    run(arbo)
    with pytest.raises(InvalidValueError):
        arbo.predict("t", parallelism=degrees)


def test_numbers_of_numpy_are_numbers(arbo):
    decision = arbo.suggest("t", input_size=np.float32(3))
    arbo.complete_trial("t", np.int64(decision.trial_index), execution_time_s=np.float64(2))
    assert len(arbo.predict("t", parallelism=np.int64(4))) == 1


@pytest.mark.parametrize("size", [1e-320, 5e-324, 1e-301, 1e301])
def test_size_is_refused_when_it_is_beyond_what_a_double_can_divide(arbo, size):
    arbo.attach_trial("t", parallelism=1, input_size=1e9, execution_time_s=1)
    with pytest.raises(InvalidValueError, match="input_size must lie between"):
        arbo.attach_trial("t", parallelism=2, input_size=size, execution_time_s=1)
    with pytest.raises(InvalidValueError, match="input_size must lie between"):
        arbo.suggest("t", input_size=size)


@pytest.mark.parametrize("size", [1e-299, 1e299])
def test_extreme_size_poisons_nothing(arbo, size):
    for s in (1, 4, 16):
        arbo.attach_trial("t", parallelism=s, input_size=5, execution_time_s=LAW.runtime_s(s))
    arbo.attach_trial("t", parallelism=2, input_size=size, execution_time_s=1)
    assert arbo.suggest("t", input_size=5).phase == "optimize"
    assert all(math.isfinite(p.mean_s) for p in arbo.predict("t", input_size=size))


@pytest.mark.parametrize("store", [5, b"sqlite://", object()])
def test_store_is_refused_when_it_is_none(store):
    with pytest.raises(InvalidValueError, match="a store is"):
        ArboOptimizer(store)


def test_namespace_beside_a_store_is_refused_when_it_is_another(arbo):
    with pytest.raises(InvalidValueError, match="'team'"):
        ArboOptimizer(arbo.store, namespace="team")


@pytest.mark.parametrize("urgency", [1e-3, 300.0])
def test_extreme_urgency_still_finds_the_optimum(arbo, urgency):
    arbo.configure_experiment("t", objective=Objective(urgency))
    for s in (1, 4, 16):
        arbo.attach_trial("t", parallelism=s, execution_time_s=LAW.runtime_s(s))
    decision = arbo.suggest("t")
    assert decision.parallelism == (1 if urgency < 1 else 32)
    assert "nan" not in decision.reason


def test_store_url_comes_from_the_environment(store_url, monkeypatch):
    monkeypatch.setenv("ARBO_DATABASE_URL", store_url)
    with ArboOptimizer() as arbo:
        arbo.suggest("t")
    with ArboOptimizer(store_url) as arbo:
        assert len(arbo.trials("t")) == 1


def test_public_names_resolve():
    for name in arbo_bo.__all__:
        assert getattr(arbo_bo, name) is not None
    assert set(arbo_bo.__all__) == set(dir(arbo_bo))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        arbo_bo.nope  # noqa: B018
