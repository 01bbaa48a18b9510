"""BoTorch's classes give the values that a decision gives."""

import numpy as np
import pytest
import torch

from arbo_bo.acquisition import AcquisitionInputs, make_acquisition
from arbo_bo.acquisition.search import evaluate_choices
from arbo_bo.experiment import MaxCost, MaxExecutionTime, MeanFunction, Objective, Residual
from arbo_bo.models.from_fit import amdahl_gp_of
from arbo_bo.numerics.choosers import CHOOSERS, Alternatives
from arbo_bo.numerics.fitting import fit
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.problem import FitProblem

DEGREES = np.array([1.0, 2, 3, 5, 8, 13, 21, 34])
X = np.column_stack([DEGREES, np.full(8, 1.3), np.full(8, 2.0)])
PENDING = {"idle": np.empty((0, 3)), "busy": np.array([[7.0, 0.8, 1.0], [12, 1.3, 2]])}
LEVELS = {
    "free": (),
    "deadline": (MaxExecutionTime(40, confidence=0.8),),
    "both": (
        MaxExecutionTime(60, confidence=0.9),
        MaxCost(0.3, price_per_worker_hour=1.0, confidence=0.7),
    ),
}
NEEDS_LEVELS = ("deadline", "budget", "constrained_improvement")
NAMES = [name for name in CHOOSERS if name != "thompson"]  # which draws from another generator


def alternatives(mean, residual, pending, slo):
    rng = np.random.default_rng(5)
    runs = np.column_stack(
        [
            rng.choice([1.0, 2, 4, 8, 16], 14),
            rng.uniform(0.5, 2, 14),
            rng.choice([0.0, 3], 14),
        ]
    )
    law = 5 + runs[:, 1] * 200 * (0.1 + 0.9 / runs[:, 0])
    time = law * np.exp(0.1 * rng.standard_normal(14))
    censored = np.arange(14) == 9
    problem = FitProblem.of(runs, time, mean=mean, residual=residual, censored=censored)
    return Alternatives(
        posterior=Posterior(fit(problem)),
        X=X,
        looked_at=np.arange(1, 8),
        reference=3,
        pending=pending,
        objective=Objective(urgency=1.5),
        slo=slo,
    )


@pytest.mark.parametrize("slo", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("pending", PENDING.values(), ids=PENDING)
@pytest.mark.parametrize("residual", Residual)
@pytest.mark.parametrize("mean", [m for m in MeanFunction if m != "auto"])
def test_value_of_each_degree_is_that_of_a_decision(mean, residual, pending, slo):
    a = alternatives(mean, residual, pending, slo)
    model = amdahl_gp_of(a.posterior.fit)
    inputs = AcquisitionInputs(
        model=model,
        choices=torch.from_numpy(X[a.looked_at]),
        objective=a.objective,
        slo=slo,
        X_pending=torch.from_numpy(pending) if len(pending) else None,
    )
    names = [name for name in NAMES if slo or name not in NEEDS_LEVELS]
    ours = {name: CHOOSERS[name](a) for name in names}
    theirs = {
        name: evaluate_choices(make_acquisition(name, inputs), torch.from_numpy(X)).numpy()
        for name in names
    }
    assert ours == {name: pytest.approx(theirs[name], rel=1e-6, abs=1e-8) for name in names}
