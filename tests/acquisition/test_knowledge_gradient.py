import pytest
import torch
from fitted_models import CHOICES, DEGREES, RESIDUALS, fitted

from arbo_bo.acquisition import (
    AcquisitionInputs,
    ExpectedCost,
    OnlineKnowledgeGradient,
    evaluate_degrees,
    make_acquisition,
)
from arbo_bo.acquisition.search import degree_inputs
from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import Objective

FEW = degree_inputs([1, 4, 6, 12], 1.0, 0.0)


def fantasized_gain(model, x, draws=4000):
    """The gain of one run of x, by drawing its outcome and conditioning the model on each."""
    torch.manual_seed(0)
    cost = Objective().exponent * FEW[:, 0].log()
    now = model.posterior(FEW).mean.squeeze(-1) + cost
    incumbent = now.argmin()
    outcomes = model.posterior(x).rsample(torch.Size([draws]))
    outcomes = outcomes + model.likelihood.noise.sqrt() * torch.randn_like(outcomes)
    noise = torch.full_like(outcomes, model.likelihood.noise.item())
    with torch.no_grad():
        model.posterior(FEW)  # fills the caches that conditioning starts from
        X = x.expand(draws, 1, 3)
        after = model.condition_on_observations(X, outcomes.detach(), noise=noise)
        then = after.posterior(FEW.expand(draws, *FEW.shape)).mean.squeeze(-1) + cost
    base = now[incumbent]
    return ((then[:, incumbent] - base).exp() - (then.amin(-1) - base).exp()).detach()


@pytest.mark.parametrize("degree", [4, 6, 12])
def test_gain_agrees_with_fantasies_when_the_next_run_is_drawn(degree):
    model = fitted(degrees=(1.0, 4), noise=0.1).with_fitted_noise()
    x = degree_inputs([degree], 1.0, 0.0)
    values = [OnlineKnowledgeGradient(model, FEW, horizon=h)(x.unsqueeze(0)) for h in (0.0, 1.0)]
    draws = fantasized_gain(model, x)
    error = draws.std() / len(draws) ** 0.5
    assert abs(values[1] - values[0] - draws.mean()).item() < 4 * error + 2e-3


@pytest.mark.parametrize("residual", RESIDUALS)
def test_choice_is_the_greedy_one_when_the_horizon_is_zero(residual):
    model = fitted(residual)
    greedy = evaluate_degrees(ExpectedCost(model), DEGREES, 1.0, 0.0)
    kg = OnlineKnowledgeGradient(model, CHOICES, horizon=0.0)
    best = evaluate_degrees(kg, DEGREES, 1.0, 0.0).argmax()
    # The run's noise is part of the one and not of the other: their scores differ by little.
    assert greedy[best] == pytest.approx(greedy.max().item(), abs=0.02)


def test_a_longer_horizon_never_makes_knowledge_worth_less():
    model = fitted(degrees=(1.0, 4), noise=0.1)
    short, long = (
        evaluate_degrees(OnlineKnowledgeGradient(model, CHOICES, horizon=h), DEGREES, 1, 0)
        for h in (2.0, 20.0)
    )
    assert (long >= short - 1e-12).all()
    assert (long > short + 1e-3).any()


def test_a_degree_is_worth_less_when_it_is_being_tried():
    model = fitted(degrees=(1.0, 4), noise=0.1)
    pending = degree_inputs([12], 1.0, 0.0)
    x = pending.unsqueeze(0)
    alone = OnlineKnowledgeGradient(model, CHOICES)(x)
    beside = OnlineKnowledgeGradient(model, CHOICES, X_pending=pending)(x)
    assert beside < alone


def test_a_run_under_way_changes_no_expected_cost():
    model = fitted(degrees=(2.0,), noise=0.0)
    alone, beside = (
        evaluate_degrees(
            OnlineKnowledgeGradient(model, CHOICES, horizon=0.0, X_pending=pending), DEGREES, 1, 0
        )
        for pending in (None, CHOICES[15:16])
    )
    assert torch.allclose(alone, beside)


def test_it_is_the_regret_when_everything_is_known():
    model = fitted(degrees=[1.0, 4, 6, 12] * 10, noise=1e-4)
    values = evaluate_degrees(OnlineKnowledgeGradient(model, FEW), [1, 4, 6, 12], 1, 0)
    scores = model.posterior(FEW).mean.squeeze(-1).exp() * FEW[:, 0].sqrt()
    assert torch.allclose(-values, scores / scores.min() - 1, atol=1e-3)


def test_it_is_about_the_noise_as_fitted_when_made_by_name():
    model = fitted(degrees=(1.0, 4), noise=0.1)
    by_name = make_acquisition("knowledge_gradient", AcquisitionInputs(model, CHOICES))
    own = OnlineKnowledgeGradient(model.with_fitted_noise(), CHOICES)
    assert model.likelihood.noise_inflation > 1
    assert torch.equal(*(evaluate_degrees(f, DEGREES, 1, 0) for f in (by_name, own)))


def test_choices_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match="choices needs shape"):
        OnlineKnowledgeGradient(fitted(), CHOICES[0])


def test_a_negative_horizon_is_refused():
    with pytest.raises(InvalidValueError, match="horizon"):
        OnlineKnowledgeGradient(fitted(), CHOICES, horizon=-1.0)
