"""What is outside the model's domain is refused at every door."""

import pytest
import torch
from botorch.sampling import SobolQMCNormalSampler
from windows import RESIDUALS, model_of, window

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.models import AmdahlGP, fit_amdahl_gp

OUTSIDE = [[0.0, 1, 0], [0.5, 1, 0], [4, -1, 0], [4, 0, 0], [4, 1, -1], [float("nan"), 1, 0]]
X, TIME = window(6)


def at(row):
    return torch.tensor([row], dtype=torch.float64)


@pytest.fixture(params=RESIDUALS)
def model(request):
    return model_of(X, TIME, request.param).eval()


@pytest.mark.parametrize("row", OUTSIDE)
def test_prediction_is_refused_outside_the_domain(model, row):
    with pytest.raises(InvalidValueError, match="X needs finite s >= 1, gamma > 0"):
        model.posterior(at(row))


@pytest.mark.parametrize("row", OUTSIDE)
def test_observation_is_refused_outside_the_domain(model, row):
    model.posterior(X)
    with pytest.raises(InvalidValueError, match="X needs finite s >= 1"):
        model.condition_on_observations(at(row), at([3.0]))


@pytest.mark.parametrize("row", OUTSIDE)
def test_fantasy_is_refused_outside_the_domain(model, row):
    with pytest.raises(InvalidValueError, match="X needs finite s >= 1"):
        model.fantasize(at(row), SobolQMCNormalSampler(torch.Size([2])))


@pytest.mark.parametrize("row", OUTSIDE)
def test_training_data_is_refused_outside_the_domain(model, row):
    with pytest.raises(InvalidValueError, match="inputs needs finite s >= 1"):
        model.set_train_data(at(row), torch.zeros(1, dtype=torch.float64), strict=False)


def test_prediction_is_refused_when_a_column_is_missing(model):
    with pytest.raises(ShapeError, match="cluster load"):
        model.posterior(X[:, :2])


def test_degree_of_one_may_be_rounded(model):
    assert torch.isfinite(model.posterior(at([1 - 1e-9, 1, -1e-12])).mean)


def test_seconds_are_refused_where_log_seconds_are_expected():
    with pytest.raises(InvalidValueError, match="more than a century: give AmdahlGP"):
        AmdahlGP(X, TIME)


def test_seconds_are_refused_where_log_seconds_are_told():
    model = model_of(X, TIME).eval()
    model.posterior(X)
    with pytest.raises(InvalidValueError, match="Y needs log seconds"):
        model.condition_on_observations(X, TIME)
    with pytest.raises(InvalidValueError, match="targets needs log seconds"):
        model.set_train_data(targets=TIME.squeeze(-1))


def test_training_data_is_what_is_predicted_from_when_it_was_set():
    model, (other_X, other_time) = model_of(X, TIME).eval(), window(9, 5)
    model.posterior(X)
    model.set_train_data(other_X, other_time.log().squeeze(-1), strict=False)
    expected = model_of(other_X, other_time, time_scale=model.mean_module.time_scale)
    assert torch.allclose(model.posterior(X).mean, expected.posterior(X).mean)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_fit_is_refused_when_a_time_is_none(seconds):
    time = TIME.clone()
    time[2] = seconds
    with pytest.raises(InvalidValueError, match="execution_time_s needs finite times above 0"):
        fit_amdahl_gp(X, time)


class Described(AmdahlGP):
    """A model of another package, with a constructor of its own."""

    def __init__(self, described, *args, **options):
        super().__init__(*args, **options)
        self.described = described


@pytest.mark.parametrize("outputs", [[0], [1], [1, 0]])
def test_subset_of_outputs_keeps_the_class_of_the_model(outputs):
    both = torch.cat([TIME, 2 * TIME], -1).log()
    model = Described("nightly", X, both).subset_output(outputs)
    assert (type(model), model.described, model.num_outputs) == (
        Described,
        "nightly",
        len(outputs),
    )
    assert torch.allclose(
        model.posterior(X).mean, AmdahlGP(X, both[:, outputs]).posterior(X).mean, rtol=1e-6
    )
