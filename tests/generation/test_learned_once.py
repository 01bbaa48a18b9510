"""The original algorithm learns each run once, whatever order runs end in."""

from dataclasses import replace

import pytest
from playing import SPACE, completed

from arbo_bo.experiment import AmdahlLaw, Context, Experiment, Strategy
from arbo_bo.generation import generate
from arbo_bo.models import OnlineAmdahlEstimator

HERE = Context(None, 0.0)
RUNS = {0: (1, 292.0), 1: (5, 80.0), 2: (8, 90.0), 3: (4, 83.0), 4: (2, 150.0), 5: (6, 65.0)}
"""Degree and time by index; run 2 is unlike the others, so that its turn is seen in p."""


def trial(index):
    return completed(index, *RUNS[index])


def online(window=50):
    return Experiment(
        "t", search_space=SPACE, estimator="online", window=window,
        strategy=Strategy("expected_cost"),
    )  # fmt: skip


def decided(experiment, indices):
    """The experiment after a decision on these runs, by index as a store lists them."""
    trials = [trial(i) for i in sorted(indices)]
    learned = generate(experiment, trials, HERE).learned
    model = replace(experiment.model, law=learned.law, hyperparameters=learned.hyperparameters)
    return replace(experiment, model=model)


def told(*indices):
    """The law of an estimator that is told these runs in this order."""
    estimator = OnlineAmdahlEstimator()
    for s, time_s in (RUNS[i] for i in indices):
        estimator.observe(s, 1.0, 0.0, time_s)
    return estimator.law


def test_a_run_is_learned_when_it_ends_after_a_later_one():
    experiment = decided(decided(online(), {0, 1, 3}), {0, 1, 2, 3})
    assert experiment.model.law == told(0, 1, 3, 2)
    assert experiment.model.law.p != pytest.approx(told(0, 1, 3).p, abs=0.01)


def test_a_run_is_learned_once_when_decisions_are_repeated():
    experiment = decided(online(), {0, 1, 2, 3})
    assert decided(experiment, {0, 1, 2, 3}).model == experiment.model


def test_runs_are_learned_when_the_first_of_all_ends_last():
    experiment = decided(decided(online(), {1, 2, 3}), {0, 1, 2, 3})
    assert experiment.model.law == told(1, 2, 3, 0)


def test_what_is_stored_is_as_long_as_the_window_when_more_runs_came():
    experiment = online(window=3)
    for newest in range(3, 6):
        experiment = decided(experiment, range(newest - 2, newest + 1))
    state = experiment.model.hyperparameters
    assert (state["learned"], state["before"]) == ([3, 4, 5], 3)


def test_a_run_is_not_learned_again_when_it_comes_back_into_the_window():
    experiment = decided(decided(online(window=3), {0, 1, 2}), {1, 2, 3})
    again = decided(experiment, {0, 1, 3})  # run 2 was excluded
    assert again.model.law == experiment.model.law


def test_a_law_goes_on_when_the_state_is_of_the_old_format():
    law = AmdahlLaw(292.0, 0.9)
    stored = {
        "format": 1, "estimator": "online", "seen": 3,
        "law": {"t1_s": 292.0, "p": 0.9, "c_s": 0.0, "k": 1.0},
    }  # fmt: skip
    before = replace(online(), model=replace(online().model, law=law, hyperparameters=stored))
    assert decided(before, {0, 1, 2, 3}).model.law == law
    estimator = OnlineAmdahlEstimator(law=law)
    estimator.observe(2, 1.0, 0.0, 150.0)
    assert decided(before, {0, 1, 2, 3, 4}).model.law == estimator.law


@pytest.mark.parametrize(
    "stored",
    [{"learned": "x"}, {"learned": [None]}, {"law": {"p": 2}}, {"format": 9}, {"estimator": "gp"}],
    ids=str,
)
def test_learning_starts_afresh_when_the_state_cannot_be_read(stored):
    known = decided(online(), {0, 1})
    hyperparameters = {**known.model.hyperparameters, **stored}
    broken = replace(known, model=replace(known.model, hyperparameters=hyperparameters))
    assert decided(broken, {0, 1, 3}).model.law == told(0, 1, 3)
