"""Which input `ArboOptimizer` refuses, and which it takes."""

import math

import numpy as np
import pytest
from known_task import LAW, run

from arbo_bo import ArboOptimizer, Objective
from arbo_bo.errors import (
    ArboError,
    DegreeNotAllowedError,
    ExperimentNotFoundError,
    InvalidValueError,
    NotEnoughObservationsError,
    TrialNotFoundError,
)


def test_default_outside_the_space_is_refused(arbo):
    with pytest.raises(DegreeNotAllowedError):
        arbo.configure_experiment("t", parallelism=(1, 4), default_parallelism=8)
    assert arbo.experiments() == []


def test_prediction_is_refused_when_nothing_is_known(arbo):
    arbo.configure_experiment("t")
    with pytest.raises(NotEnoughObservationsError):
        arbo.predict("t")


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "x", True])
@pytest.mark.parametrize(
    "call",
    [
        lambda a, v: a.attach_trial("t", parallelism=1, execution_time_s=1, input_size=v),
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
