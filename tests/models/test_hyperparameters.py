import json

import pytest
from windows import model_of, window

from arbo_bo.models import (
    Hyperparameters,
    fit_amdahl_gp,
)
from arbo_bo.numerics.problem import FitProblem


@pytest.mark.parametrize("mean", ["amdahl", "usl", "ernest", "auto"])
def test_hyperparameters_survive_json(mean):
    found = fit_amdahl_gp(*window(8), mean=mean).fitted_hyperparameters
    assert Hyperparameters.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_hyperparameters_are_amdahls_when_they_name_no_mean():
    found = fit_amdahl_gp(*window(8)).fitted_hyperparameters
    old = {k: v for k, v in found.to_json().items() if k not in ("mean", "learned")}
    read = Hyperparameters.from_json(old)
    assert read.mean == "amdahl"
    assert read.learned == pytest.approx(found.learned)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"format": 99},
        {"format": 1},
        {"format": 1, "law": 3, "lengthscales": "abc"},
    ],
)
def test_warm_start_is_ignored_when_it_is_not_understood(stored):
    assert Hyperparameters.from_json(stored) is None


@pytest.mark.parametrize("change", [{"mean": "gompertz"}, {"learned": 3}, {"learned": {"k": "x"}}])
def test_warm_start_is_ignored_when_its_law_is_not_understood(change):
    stored = fit_amdahl_gp(*window(4)).fitted_hyperparameters.to_json()
    assert Hyperparameters.from_json(stored) is not None
    assert Hyperparameters.from_json(stored | change) is None


def test_warm_start_of_the_other_residual_gives_its_law_only():
    X, time = window(20)
    additive = fit_amdahl_gp(X, time, residual="additive").fitted_hyperparameters
    problem = FitProblem.of(X.numpy(), time[:, 0].numpy(), warm_start=additive)
    assert problem.start[4:] == pytest.approx(problem.location[4:])
    assert problem.start[0] + problem.log_scale == pytest.approx(additive.learned["log_t1"])


def test_gpytorchs_own_hyperparameters_are_every_parameter_of_the_model():
    model = model_of(*window(6))
    assert set(model.hyperparameters()) == set(model.parameters())
