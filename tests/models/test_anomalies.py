"""Stragglers, changes of speed and runs that were cut off, against windows made by hand."""

import math

import numpy as np
import pytest
import torch

from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import fit_amdahl_gp

LAW = AmdahlLaw(300.0, 0.93, 5.0)
DEGREES = (1, 2, 4, 8, 16)


def runs(n, noise, seed, degrees=DEGREES):
    rng = np.random.default_rng(seed)
    s = rng.choice(degrees, n)
    return s, np.array([LAW.runtime_s(d) for d in s]) * np.exp(noise * rng.standard_normal(n))


def fit(s, time, **options):
    X = np.stack([s, np.ones(len(s)), np.zeros(len(s))], axis=-1)
    return fit_amdahl_gp(torch.from_numpy(X), torch.from_numpy(time)[:, None], **options)


def time_at(model, s):
    return model.posterior(torch.tensor([[float(s), 1.0, 0.0]])).mean.exp().item()


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("odd", [0, 5, 9])
@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_one_straggler_moves_no_prediction(noise, odd, factor):
    s, time = runs(10, noise, seed=1)
    s[odd] = 4
    clean = fit(s, time)
    time[odd] *= factor
    model = fit(s, time)
    assert (~model.explanation.kept).nonzero()[0].tolist() == [odd]
    assert [time_at(model, d) for d in DEGREES] == pytest.approx(
        [time_at(clean, d) for d in DEGREES], rel=0.1 + noise / 2
    )


def test_repeats_tell_which_run_is_the_straggler_when_the_window_is_small():
    s, time = np.array([1, 4, 4, 4, 8]), np.array([305.0, 84.0, 840.0, 86.0, 50.0])
    assert fit(s, time).explanation.kept.tolist() == [True, True, False, True, True]


def test_nothing_is_set_aside_when_its_degree_was_run_once():
    s, time = runs(10, 0.05, seed=1, degrees=(1, 2, 8))
    s[5] = 4
    time[5] = 10 * LAW.runtime_s(4)
    assert fit(s, time).explanation.kept.all()


@pytest.mark.parametrize("n", [2, 3, 4])
def test_nothing_is_set_aside_when_the_window_is_tiny(n):
    s, time = runs(n, 0.05, seed=2)
    time[-1] *= 10
    assert fit(s, time).explanation.kept.all()


def test_slow_degrees_are_kept_when_they_are_slow_every_time():
    s = np.array([1, 8, 1, 12, 8, 1, 12, 16])
    time = np.array([3000.0, 50, 3100, 38, 52, 2950, 37, 31])
    model = fit(s, time)
    assert model.explanation.kept.all()
    assert time_at(model, 1) == pytest.approx(3000, rel=0.1)


@pytest.mark.parametrize("factor", [1.5, 3.0, 0.5])
@pytest.mark.parametrize("since", [3, 6])
def test_lasting_change_of_speed_is_followed_within_a_few_runs(factor, since):
    s, time = runs(30, 0.05, seed=3)
    time[-since:] *= factor
    model = fit(s, time)
    assert model.explanation.kept.sum() >= 29
    assert [time_at(model, d) for d in DEGREES] == pytest.approx(
        [factor * LAW.runtime_s(d) for d in DEGREES], rel=0.1
    )


def test_change_is_followed_at_degrees_that_were_not_run_since():
    s, time = runs(20, 0.03, seed=4)
    s[-4:], time[-4:] = 8, LAW.runtime_s(8) * np.array([3.05, 2.95, 3.0, 3.03])
    assert time_at(fit(s, time), 2) == pytest.approx(3 * LAW.runtime_s(2), rel=0.1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("noise", [0.03, 0.1])
def test_nothing_happened_when_runs_scatter_around_one_law(noise, seed):
    explanation = fit(*runs(20, noise, seed)).explanation
    assert explanation.kept.all()
    assert explanation.cost == 0


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_run_that_was_cut_off_counts_as_slower_than_its_limit(residual):
    s, time = np.array([1, 4, 8, 2, 2]), np.array([300.0, 84.0, 50.0, 400.0, 400.0])
    cut = [False, False, False, True, True]
    model = fit(s, time, censored=cut, residual=residual)
    relative = 400 / model.mean_module.time_scale.item()
    limit = math.log(relative) if residual == "multiplicative" else relative
    assert (model.explanation.y[3:] > limit).all()
    predicted = model.posterior(torch.tensor([[2.0, 1.0, 0.0]])).mean.item()
    assert predicted > (math.log(300) if residual == "multiplicative" else 300)


def test_limit_says_nothing_when_it_is_far_below_the_prediction():
    s, time = runs(8, 0.05, seed=5)
    cut_s, cut_time = np.append(s, 1), np.append(time, 30.0)
    model = fit(cut_s, cut_time, censored=[False] * 8 + [True])
    assert not model.explanation.kept[-1]
    assert time_at(model, 1) == pytest.approx(time_at(fit(s, time), 1), rel=0.02)


@pytest.mark.parametrize("unit", [1e-3, 3600.0])
def test_unit_of_time_changes_no_explanation(unit):
    s, time = runs(12, 0.1, seed=6)
    time[3] *= 12
    first, second = fit(s, time).explanation, fit(s, time * unit).explanation
    assert first.kept.tolist() == second.kept.tolist()
