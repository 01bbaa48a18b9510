"""What BoTorch asks of every acquisition function."""

import pickle

import pytest
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.acquisition.fixed_feature import FixedFeatureAcquisitionFunction
from botorch.acquisition.input_constructors import get_acqf_input_constructor
from botorch.exceptions import UnsupportedError
from botorch.optim import optimize_acqf_discrete
from fitted_models import (
    BUDGET,
    CHOICES,
    DEADLINE,
    DEGREES,
    MAKERS,
    OBJECTIVE,
    RESIDUALS,
    batched,
    fitted,
)

from arbo_bo import acquisition as module
from arbo_bo.acquisition import (
    ExpectedCost,
    NegativeLogScore,
    SLOConstrained,
    evaluate_degrees,
)
from arbo_bo.errors import ShapeError
from arbo_bo.models import AmdahlGP

X = CHOICES.unsqueeze(-2)
RUNS = CHOICES[[0, 1, 3, 7]]
SECONDS = torch.tensor([[100.0], [55], [31], [20]], dtype=torch.float64)
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
both_residuals = pytest.mark.parametrize("residual", RESIDUALS)


@every
@both_residuals
@pytest.mark.parametrize("batch", [(4,), (2, 3)])
def test_batch_of_points_equals_a_loop(make, residual, batch):
    acquisition = make(fitted(residual))
    generator = torch.Generator().manual_seed(1)
    points = 1 + 9 * torch.rand((*batch, 1, 3), generator=generator, dtype=torch.float64)
    values = acquisition(points)
    assert values.shape == batch
    loop = [acquisition(x.unsqueeze(0)).item() for x in points.reshape(-1, 1, 3)]
    assert values.flatten().tolist() == pytest.approx(loop)


@every
@both_residuals
def test_batched_model_gives_one_value_a_model(make, residual):
    acquisition = make(batched(residual))
    assert acquisition(CHOICES[:1].expand(2, 1, 3)).shape == (2,)
    assert acquisition(CHOICES[:5].reshape(5, 1, 1, 3).expand(5, 2, 1, 3)).shape == (5, 2)


@every
@both_residuals
@pytest.mark.parametrize("s", [1.5, 9.3])
def test_value_has_the_gradient_of_its_input(make, residual, s):
    acquisition = make(fitted(residual, noise=0.2))
    point = torch.tensor([[[s, 1.2, 1.0]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(acquisition, (point,))


@every
@both_residuals
def test_exact_search_finds_what_botorchs_discrete_search_finds(make, residual):
    acquisition = make(fitted(residual))
    values = evaluate_degrees(acquisition, DEGREES, 1.0, 0.0)
    best, value = optimize_acqf_discrete(acquisition, q=1, choices=CHOICES)
    assert DEGREES[values.argmax().item()] == best[0, 0].item()
    assert value.item() == pytest.approx(values.max().item())


@every
@pytest.mark.parametrize("q", [2, 3])
def test_botorch_searches_for_several_degrees(make, q):
    acquisition = make(fitted())
    best, values = optimize_acqf_discrete(acquisition, q=q, choices=CHOICES)
    assert best[:, 0].unique().numel() == q
    assert torch.isfinite(values).all()
    assert acquisition.X_pending is None


def test_runs_under_way_are_still_known_after_a_search_for_several_degrees():
    pending = CHOICES[3:4]
    bound = MAKERS["lcb"](fitted(), X_pending=pending)
    acquisition = SLOConstrained(fitted(), DEADLINE, bound)
    before = acquisition(X)
    optimize_acqf_discrete(acquisition, q=2, choices=CHOICES)
    assert torch.equal(acquisition(X), before)
    assert torch.equal(bound.X_pending, pending)


def test_several_degrees_are_refused_when_the_function_among_the_feasible_cannot():
    model = fitted()
    base = LogExpectedImprovement(model, -4.0, NegativeLogScore())
    with pytest.raises(UnsupportedError, match="not account for X_pending"):
        optimize_acqf_discrete(SLOConstrained(model, DEADLINE, base), q=2, choices=CHOICES)


class Asked(AmdahlGP):
    """Remembers the shapes of what it was asked."""

    def posterior(self, X, *args, **options):
        self.shapes.append(tuple(X.shape))
        return super().posterior(X, *args, **options)


@every
@both_residuals
@pytest.mark.parametrize("pending", [None, CHOICES[[4, 20]] + torch.tensor([0.5, 0.2, 0.0])])
def test_degrees_share_the_training_data_when_they_are_many(make, residual, pending):
    plain = fitted(residual)
    model = Asked(RUNS, AmdahlGP.outcome_of_time(SECONDS, residual), residual=residual).eval()
    model.load_state_dict(plain.state_dict())
    model.shapes = []
    acquisition = make(model)
    acquisition.set_X_pending(pending)
    values = acquisition(X)
    assert {len(shape) for shape in model.shapes} == {2}
    loop = torch.cat([acquisition(x.unsqueeze(0)) for x in X[::9]])
    assert torch.allclose(values[::9], loop, rtol=1e-10, atol=1e-10)


@every
def test_value_is_the_same_when_the_context_is_fixed_by_botorch(make):
    acquisition = make(fitted())
    fixed = FixedFeatureAcquisitionFunction(acquisition, d=3, columns=[1, 2], values=[1.0, 0.0])
    assert torch.allclose(fixed(X[..., :1]), acquisition(X))


@every
@both_residuals
def test_value_is_the_same_when_the_acquisition_function_was_pickled(make, residual):
    acquisition = make(fitted(residual))
    assert torch.equal(pickle.loads(pickle.dumps(acquisition))(X), acquisition(X))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ExpectedCost", {}),
        ("ExpectedTime", {}),
        ("LogScoreExpectedImprovement", {"choices": CHOICES}),
        ("LowerConfidenceBound", {"kappa": 2.0}),
        ("OnlineKnowledgeGradient", {"choices": CHOICES, "horizon": 3.0}),
        ("RiskAverseScore", {"kappa": 2.0}),
        ("ThompsonSampling", {"choices": CHOICES, "seed": 4}),
        ("DeadlineConstrainedCost", {"slo": DEADLINE}),
        ("BudgetConstrainedTime", {"slo": BUDGET}),
        ("SLOConstrained", {"slo": DEADLINE, "base": ExpectedCost(fitted())}),
        ("ConstrainedLogScoreExpectedImprovement", {"slo": DEADLINE, "choices": CHOICES}),
    ],
)
def test_botorch_constructs_it_by_its_registration(name, options):
    kind = getattr(module, name)
    # What BoTorch and Ax hand to every constructor beside the function's own options.
    shared = {"training_data": None, "objective": None, "bounds": None}
    arguments = get_acqf_input_constructor(kind)(
        model=fitted(), score=OBJECTIVE, **options, **shared
    )
    assert kind(**arguments)(X).shape == (len(DEGREES),)
    assert arguments["objective"] is OBJECTIVE


def test_botorch_refuses_an_option_that_it_does_not_have():
    constructor = get_acqf_input_constructor(module.LowerConfidenceBound)
    with pytest.raises(TypeError, match=r"`horizon` .* for LowerConfidenceBound"):
        constructor(model=fitted(), horizon=3.0)


def test_incumbent_is_asked_for_when_botorch_has_no_choices():
    constructor = get_acqf_input_constructor(module.LogScoreExpectedImprovement)
    with pytest.raises(ShapeError, match="give best_f, or choices"):
        constructor(model=fitted())
