"""Fits: many at once are the same as one by one, and none is worse than from other starts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fit_problems import MEANS, RESIDUALS, problem
from scipy.optimize import minimize

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.numerics.batches import stacked
from arbo_bo.numerics.fitting import fit, fit_many
from arbo_bo.numerics.problem import FitProblem


def test_fits_together_are_the_fits_one_by_one_when_windows_differ_in_size():
    problems = [
        problem(n, seed=n, noise=noise, mean=mean)
        for n, noise, mean in [(3, 0.1, "amdahl"), (20, 0.05, "amdahl"), (11, 0.3, "usl")]
    ]
    together, alone = fit_many(problems), [fit(p) for p in problems]
    for a, b in zip(together, alone, strict=True):
        assert a.x == pytest.approx(b.x, abs=1e-4)
        assert a.noise_inflation == pytest.approx(b.noise_inflation, rel=1e-4)
        assert (a.kept == b.kept).all()


@pytest.mark.parametrize("noise", [0.05, 0.3, 0.5])
@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("mean", MEANS)
def test_fit_is_no_worse_than_any_of_many_random_starts(mean, residual, noise):
    p = problem(15, seed=3, noise=noise, mean=mean, residual=residual)
    found = fit(p)
    kept, y = found.kept[None] * 1.0, found.explanation.y[None]
    evidence, rng = stacked([p], kept=kept, y=y), np.random.default_rng(0)

    def loss(x):
        value, gradient, _ = evidence.evaluate(x[None], hessian=False)
        return -value[0], -gradient[0]

    bounds = list(zip(p.low, p.high, strict=True))
    starts = p.location + p.scale * rng.standard_normal((8, len(p.location)))
    others = [
        minimize(loss, np.clip(x, p.low, p.high), jac=True, method="L-BFGS-B", bounds=bounds)
        for x in starts
    ]
    best = -min(float(o.fun) for o in others)
    assert evidence.evaluate(found.x[None])[0][0] >= best - 1e-3


def test_warm_start_finds_what_a_cold_one_finds():
    p = problem(25, seed=2)
    cold = fit(p)
    warm = fit(p.starting_at(cold.hyperparameters))
    assert warm.x == pytest.approx(cold.x, abs=1e-4)


def test_unit_of_time_changes_nothing_but_the_scale():
    p = problem(12, seed=5, residual="additive")
    other = FitProblem.of(p.X, p.y * math.exp(p.log_scale) * 1e-6, residual="additive")
    a, b = fit(p), fit(other)
    assert b.law.t1_s == pytest.approx(a.law.t1_s * 1e-6, rel=1e-5)
    assert b.noise_inflation == pytest.approx(a.noise_inflation, rel=1e-4)


def test_empty_window_is_refused():
    empty = replace(problem(5), y=np.zeros(0))
    with pytest.raises(NotEnoughObservationsError, match="at least one completed run"):
        fit(empty)
