from dataclasses import replace

import pytest

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    Phase,
    SearchSpace,
    TaskModel,
    Trial,
    TrialStatus,
)
from arbo_bo.generation.opening import opening_move

C, R, F, A = (TrialStatus(s) for s in ("COMPLETED", "RUNNING", "FAILED", "ABANDONED"))


def trials(*pairs):
    return [
        Trial("t", i, status, Arm(s), Context(), Phase.PROBE,
              execution_time_s=1.0 if status is C else None)
        for i, (s, status) in enumerate(pairs)
    ]  # fmt: skip


def move(*pairs, space=(1, 32), **settings):
    experiment = Experiment("t", search_space=SearchSpace.of(space), **settings)
    return degree_and_phase(experiment, trials(*pairs))


def degree_and_phase(experiment, history):
    found = opening_move(experiment, history, Context())
    return None if found is None else (found[0].parallelism, found[1])


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], (1, Phase.BASELINE)),
        ([(1, C)], (5, Phase.PROBE)),
        ([(1, C), (5, C)], None),
        ([(1, R)], (5, Phase.PROBE)),
        ([(1, F)], (5, Phase.PROBE)),
        ([(1, A)], (1, Phase.BASELINE)),
        ([(5, C)], (1, Phase.BASELINE)),
        ([(1, C), (5, F)], None),
        ([(1, F), (5, F)], (32, Phase.PROBE)),
        ([(1, F), (5, F), (10, F)], (32, Phase.PROBE)),
        ([(1, C), (5, R)], None),
        ([(3, C), (9, C)], None),
    ],
)
def test_opening_runs_baseline_then_probe(history, expected):
    assert move(*history) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], (5, Phase.PROBE)),
        ([(5, C)], (10, Phase.PROBE)),
        ([(5, C), (10, C)], None),
        ([(5, R)], (10, Phase.PROBE)),
    ],
)
def test_opening_needs_two_degrees_when_the_baseline_is_switched_off(history, expected):
    assert move(*history, baseline=False) == expected


def test_probe_is_the_allowed_degree_nearest_to_the_default():
    assert move((2, C), space=[2, 4, 16]) == (4, Phase.PROBE)
    assert move((2, C), space=[2, 4, 16], default_parallelism=15) == (16, Phase.PROBE)


def test_second_probe_differs_when_the_default_is_the_smallest():
    assert move((1, C), space=(1, 8), default_parallelism=1) == (2, Phase.PROBE)


def test_second_probe_is_smaller_when_the_default_is_the_largest():
    assert move((8, C), space=(2, 8), default_parallelism=8, baseline=False) == (4, Phase.PROBE)


def test_opening_ends_when_one_degree_is_all_there_is():
    assert move(space=[4]) == (4, Phase.BASELINE)
    assert move((4, C), space=[4]) is None


def test_opening_ends_when_a_law_was_learned_before():
    model = TaskModel(hyperparameters={"format": 1})
    assert move((7, C), model=model) is None


def test_opening_is_repeated_when_its_run_is_excluded():
    excluded = [replace(trials((1, C))[0], exclusion_reason="the disk was full")]
    experiment = Experiment("t", search_space=SearchSpace.of((1, 32)))
    assert degree_and_phase(experiment, excluded) == (1, Phase.BASELINE)
