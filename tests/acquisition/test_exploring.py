import math

import pytest
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.optim import optimize_acqf_discrete
from fitted_models import CHOICES, DEGREES, MAKERS, OBJECTIVE, RESIDUALS, fitted, log_score_draws

from arbo_bo.acquisition import (
    LogScoreExpectedImprovement,
    LowerConfidenceBound,
    NegativeLogScore,
    RiskAverseScore,
    ThompsonSampling,
    evaluate_degrees,
    incumbent,
)
from arbo_bo.acquisition.search import degree_inputs
from arbo_bo.errors import ShapeError
from arbo_bo.experiment import Residual

both_residuals = pytest.mark.parametrize("residual", RESIDUALS)


def positive(draws):
    """Those rows in which every time is above zero."""
    return draws[draws.isfinite().all(-1)]


def moments(draws):
    """Mean and standard deviation of each column's finite values."""
    columns = [column[column.isfinite()] for column in draws.unbind(-1)]
    return torch.stack([c.mean() for c in columns]), torch.stack([c.std() for c in columns])


@both_residuals
@pytest.mark.parametrize("best_below", [-0.3, 0.0, 0.2])
def test_improvement_agrees_with_monte_carlo(residual, best_below):
    model = fitted(residual, degrees=(1.0, 3, 4), noise=0.3)
    X = degree_inputs([2, 6, 20], 1.0, 0.0).unsqueeze(-2)
    best = incumbent(model, CHOICES, OBJECTIVE) + best_below
    draws = (-positive(log_score_draws(model, X, OBJECTIVE)) - best).clamp_min(0)
    value = LogScoreExpectedImprovement(model, best, OBJECTIVE)(X).exp()
    error = draws.std(0) / math.sqrt(len(draws))
    assert ((value - draws.mean(0)).abs() < 5 * error + 1e-6).all()


@both_residuals
def test_bounds_agree_with_monte_carlo(residual):
    model = fitted(residual, degrees=(1.0, 3, 4), noise=0.2).with_fitted_noise()
    X = degree_inputs([2, 6, 20], 1.0, 0.0).unsqueeze(-2)
    belief, belief_std = moments(log_score_draws(model, X, OBJECTIVE))
    run, run_std = moments(log_score_draws(model, X, OBJECTIVE, observation_noise=True))
    lower = LowerConfidenceBound(model, 2.0, OBJECTIVE)(X)
    upper = RiskAverseScore(model, 2.0, OBJECTIVE)(X)
    assert torch.allclose(-lower, belief - 2 * belief_std, atol=0.03)
    assert torch.allclose(-upper, run + 2 * run_std, atol=0.03)


def test_improvement_is_botorchs_own_through_the_posterior_transform():
    model = fitted()
    best, X = incumbent(model, CHOICES, OBJECTIVE), CHOICES.unsqueeze(-2)
    theirs = LogExpectedImprovement(model, best, posterior_transform=NegativeLogScore(OBJECTIVE))
    assert torch.allclose(LogScoreExpectedImprovement(model, best, OBJECTIVE)(X), theirs(X))


def test_transform_maps_outcomes_as_it_maps_the_posterior():
    model, transform = fitted(), NegativeLogScore(OBJECTIVE)
    plain, mapped = (
        model.posterior(CHOICES),
        model.posterior(CHOICES, posterior_transform=transform),
    )
    assert torch.allclose(transform.evaluate(plain.mean, CHOICES), mapped.mean.squeeze(-1))
    assert torch.allclose(mapped.variance, OBJECTIVE.urgency**2 * plain.variance)


@both_residuals
def test_improvement_is_finite_and_ordered_when_it_underflows(residual):
    model = fitted(residual)
    values = LogScoreExpectedImprovement(model, 40.0, OBJECTIVE)(CHOICES.unsqueeze(-2))
    assert torch.isfinite(values).all()
    assert values.max() < (-745 if residual is Residual.MULTIPLICATIVE else -25)  # exp() is 0 there
    assert values.unique().numel() == len(DEGREES)


def test_incumbent_is_of_the_context_when_sizes_differ():
    model = fitted()
    small, large = (incumbent(model, degree_inputs(DEGREES, g, 0.0)) for g in (1.0, 50.0))
    assert large < small - 1
    X = degree_inputs(DEGREES, 50.0, 0.0).unsqueeze(-2)
    assert LogScoreExpectedImprovement(model, large)(X).max() > -10


@pytest.mark.parametrize("name", ["improvement", "lcb", "thompson"])
@both_residuals
def test_nothing_is_left_to_learn_when_the_degree_is_pending(name, residual):
    model = fitted(residual, degrees=(1.0, 4)).with_fitted_noise()
    pending = CHOICES[15:16]
    acquisition = MAKERS[name](model, X_pending=pending)
    mean = LowerConfidenceBound(model, 0.0, OBJECTIVE, X_pending=pending)(pending.unsqueeze(-2))
    value = acquisition(pending.unsqueeze(-2))
    if name == "improvement":
        assert value < MAKERS[name](model)(pending.unsqueeze(-2)) - 2
    else:
        assert value.item() == pytest.approx(mean.item(), abs=1e-3)


@pytest.mark.parametrize("name", ["improvement", "lcb"])
def test_degrees_differ_when_botorch_asks_for_several(name):
    acquisition = MAKERS[name](fitted(degrees=(1.0, 3)))
    best, _ = optimize_acqf_discrete(acquisition, q=3, choices=CHOICES, unique=False)
    assert best[:, 0].unique().numel() == 3


def test_pending_run_elsewhere_keeps_its_own_context():
    model = fitted()
    here, plain = CHOICES[15:16].unsqueeze(-2), LowerConfidenceBound(model, 1.0)
    far = LowerConfidenceBound(model, 1.0, X_pending=degree_inputs([16], 40.0, 30.0))
    near = LowerConfidenceBound(model, 1.0, X_pending=degree_inputs([16], 1.0, 0.0))
    assert near(here) < far(here) <= plain(here)


def test_conditioning_is_the_models_own_when_the_run_has_no_noise():
    model = fitted(degrees=(1.0, 4))
    model.likelihood.noise_covar.raw_noise.data.fill_(1e-6)
    pending = degree_inputs([12], 1.0, 0.0)
    expected = model.posterior(pending).mean.detach()
    conditioned = model.condition_on_observations(pending, expected)
    X = CHOICES.unsqueeze(-2)
    ours = LowerConfidenceBound(model, 2.0, X_pending=pending)(X)
    theirs = LowerConfidenceBound(conditioned, 2.0, residual=Residual.MULTIPLICATIVE)(X)
    assert torch.allclose(ours, theirs, atol=1e-2)


@both_residuals
def test_draw_follows_the_joint_posterior(residual):
    model = fitted(residual, degrees=(1.0, 4), noise=0.1)
    X = degree_inputs([2, 8, 9], 1.0, 0.0)
    draws = torch.stack(
        [-ThompsonSampling(model, X, OBJECTIVE, seed=i)(X.unsqueeze(-2)) for i in range(300)]
    )
    expected = log_score_draws(model, X.unsqueeze(-2), OBJECTIVE)
    expected = positive(expected)
    assert torch.allclose(draws.mean(0), expected.mean(0), atol=0.1)
    assert torch.allclose(draws.std(0), expected.std(0), rtol=0.2)
    # Neighbours are drawn together: were they not, their difference would vary by 1.4 times either.
    assert (draws[:, 1] - draws[:, 2]).std() < 0.7 * draws[:, 1].std()


def test_draw_is_the_same_when_the_seed_is():
    model = fitted(degrees=(1.0, 4))
    values = [evaluate_degrees(ThompsonSampling(model, CHOICES, seed=s), DEGREES, 1, 0)
              for s in (5, 5, 6)]  # fmt: skip
    assert torch.equal(values[0], values[1])
    assert not torch.allclose(values[0], values[2])


def test_instances_draw_anew_when_no_seed_is_given():
    model = fitted(degrees=(1.0, 4))

    def draw():
        return evaluate_degrees(ThompsonSampling(model, CHOICES), DEGREES, 1, 0)

    torch.manual_seed(3)
    first, second = draw(), draw()
    torch.manual_seed(3)
    assert torch.equal(draw(), first)
    assert not torch.allclose(second, first)


def test_draw_over_many_degrees_is_smooth_between_those_it_is_made_at():
    choices = degree_inputs(range(1, 1001), 1.0, 0.0)
    values = evaluate_degrees(ThompsonSampling(fitted(), choices), range(1, 1001), 1, 0)
    assert values.diff().abs()[20:].max() < 0.05


def test_transform_names_what_is_missing_when_there_is_no_input():
    with pytest.raises(ShapeError, match="give X"):
        NegativeLogScore().evaluate(torch.zeros(2, 1))
