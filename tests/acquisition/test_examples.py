"""What docstrings show runs as it is."""

import doctest

import pytest
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.optim import optimize_acqf_discrete
from fitted_models import CHOICES, fitted
from gpytorch.mlls import ExactMarginalLogLikelihood

from arbo_bo import acquisition, models
from arbo_bo.experiment import MaxExecutionTime, Objective

KNOWN = {
    "ExactMarginalLogLikelihood": ExactMarginalLogLikelihood,
    "LogExpectedImprovement": LogExpectedImprovement,
    "MaxExecutionTime": MaxExecutionTime,
    "Objective": Objective,
    "best_f": -4.0,
    "choices": CHOICES,
    "fit_gpytorch_mll": fit_gpytorch_mll,
    "optimize_acqf_discrete": optimize_acqf_discrete,
    "torch": torch,
}
PUBLIC = {
    name: getattr(package, name)
    for package in (acquisition, models)
    for name in package.__all__
    if callable(getattr(package, name))
}
SHOWN = [name for name, value in PUBLIC.items() if ">>>" in (value.__doc__ or "")]


def test_what_a_user_begins_with_is_shown():
    assert {"AmdahlGP", "fit_amdahl_gp", "ExpectedCost", "LogTime"} <= set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_example_of_a_docstring_runs(name):
    given = {**KNOWN, **PUBLIC, "model": fitted()}
    example = doctest.DocTestParser().get_doctest(PUBLIC[name].__doc__, given, name, None, 0)
    result = doctest.DocTestRunner().run(example)
    assert result.attempted > 1
    assert result.failed == 0
