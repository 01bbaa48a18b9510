"""`estimator="original"`, held to a plain writing of the study's algorithm, step by step.

The residual process's own fit is held by test_residual_process.py; the rest is written out here.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Estimator,
    Experiment,
    Phase,
    SearchSpace,
    Strategy,
    TaskModel,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate
from arbo_bo.numerics.online import OnlineAmdahlEstimator
from arbo_bo.numerics.residual_process import ResidualProcess
from arbo_bo.numerics.steps import STUDY

ALPHA, WINDOW, DEGREES = 0.3, 4, range(1, 17)
Runs = list[tuple[int, float, float, float]]


class Plain:
    """The study's algorithm on floats: s, gamma, L and t of each run, in order."""

    def __init__(self, runs: Runs) -> None:
        (_, _, _, baseline), *later = runs
        self.t1, self.p, self.k = baseline, 1.0, 1.0
        self.rows: list[tuple[float, float, float]] = []
        self.residuals: list[float] = []
        probed = False
        for s, gamma, load, t in later:
            p, k = self.p, self.k
            if s > 1:
                told = s / (s - 1) * (1 - t / (gamma**k * self.t1))
                told = max(0.0, min(1.0, told))
                self.p = ALPHA * p + (1 - ALPHA) * told if probed else told
                probed = True
            if gamma != 1:
                scaled = t - self.residual(s, gamma, load)
                if scaled > 0:
                    theory = self.t1 * ((1 - p) + p / s)
                    told = (math.log(scaled) - math.log(theory)) / math.log(gamma)
                    self.k = ALPHA * k + (1 - ALPHA) * told
            self.rows.append((s, gamma, load))
            self.residuals.append(t - self.law(s, gamma))

    def law(self, s: float, gamma: float) -> float:
        return gamma**self.k * self.t1 * ((1 - self.p) + self.p / s)

    def residual(self, s: float, gamma: float, load: float) -> float:
        newest = slice(-(WINDOW + 1), None)
        rows, left = np.array(self.rows[newest], dtype=float), np.array(self.residuals[newest])
        if not len(left):
            return 0.0
        return float(ResidualProcess.fitted(rows, left).predict(np.array([[s, gamma, load]]))[0][0])

    def time(self, s: float, gamma: float, load: float) -> float:
        return self.law(s, gamma) + self.residual(s, gamma, load)

    def choice(self, gamma: float, load: float) -> int:
        """The least T^a Cost(s); T^a is defined above 0 alone, so there is a smallest time."""
        return min(DEGREES, key=lambda s: max(self.time(s, gamma, load), 1e-300) * math.sqrt(s))


def random_runs(seed: int, n: int = 8, sizes: bool = True) -> Runs:
    rng = np.random.default_rng(seed)
    law = AmdahlLaw(100.0, float(rng.uniform(0.6, 0.98)), 0.0, 1.2)
    runs: Runs = []
    for i in range(n):
        s = (1, 5)[i] if i < 2 else int(rng.choice([1, 2, 4, 6, 8, 12]))
        gamma = float(rng.uniform(0.5, 2)) if i and sizes else 1.0
        noise = float(np.exp(rng.normal(0, 0.1)))
        runs.append((s, gamma, float(rng.choice([0, 4])), law.runtime_s(s, gamma) * noise))
    return runs


@pytest.mark.parametrize("seed", range(6))
def test_law_and_prediction_are_the_plain_writings_when_runs_come(seed: int) -> None:
    runs = random_runs(seed)
    estimator = OnlineAmdahlEstimator(ALPHA, WINDOW, steps=STUDY)
    for run in runs:
        estimator.observe(*run)
    plain = Plain(runs)
    law = estimator.law
    assert (law.t1_s, law.p, law.k) == pytest.approx((plain.t1, plain.p, plain.k))
    mean, _ = estimator.predict([2, 7], 1.5, 4.0)
    assert mean == pytest.approx([plain.time(2, 1.5, 4.0), plain.time(7, 1.5, 4.0)])


def trial(index: int, run: tuple[int, float, float, float]) -> Trial:
    s, gamma, load, time_s = run
    return Trial("t", index, TrialStatus.COMPLETED, Arm(s), Context(gamma, load), Phase.OPTIMIZE,
                 execution_time_s=time_s)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_decisions_are_the_plain_writings_when_a_task_is_decided(seed: int) -> None:
    runs, chosen, expected = random_runs(seed, 9), [], []
    experiment = Experiment(
        "t", search_space=SearchSpace.between(1, 16), estimator=Estimator.ORIGINAL, window=WINDOW,
        alpha=ALPHA, strategy=Strategy("expected_cost"), model=TaskModel(base_input_size=1.0),
    )  # fmt: skip
    trials = [trial(i, run) for i, run in enumerate(runs)]
    for n in range(2, len(runs)):
        _, gamma, load, _ = runs[n]
        generated = generate(experiment, trials[:n][-WINDOW:], Context(gamma, load))
        chosen.append(generated.decision.parallelism)
        expected.append(Plain(runs[:n]).choice(gamma, load))
        learned = generated.learned
        assert learned is not None
        model = replace(experiment.model, law=learned.law, hyperparameters=learned.hyperparameters)
        experiment = replace(experiment, model=model)
    assert chosen == expected


def test_p_is_that_of_the_first_probe_when_the_study_takes_it_as_it_is() -> None:
    estimator = OnlineAmdahlEstimator(steps=STUDY)
    estimator.observe(1, 1.0, 0.0, 292.0)
    estimator.observe(4, 1.0, 0.0, 82.0)
    assert estimator.law.p == pytest.approx(0.9589, abs=5e-5)
    assert estimator.residuals_s == pytest.approx([0.0])


def test_the_law_alone_predicts_when_the_baseline_is_all_there_is() -> None:
    estimator = OnlineAmdahlEstimator(steps=STUDY)
    estimator.observe(1, 1.0, 0.0, 292.0)
    mean, std = estimator.predict([2, 4])
    assert (mean.tolist(), std.tolist()) == ([146.0, 73.0], [0.0, 0.0])


@pytest.mark.parametrize("gamma", [1 + 1e-9, 1.001, 1e6])
def test_the_law_stays_a_number_when_a_run_tells_an_absurd_exponent(gamma: float) -> None:
    estimator = OnlineAmdahlEstimator(steps=STUDY)
    for run in ((1, 1.0, 0.0, 100.0), (4, gamma, 0.0, 90.0), (2, gamma, 0.0, 1e9)):
        estimator.observe(*run)
    assert np.isfinite(estimator.scored_time([1, 8], 1e6)).all()
