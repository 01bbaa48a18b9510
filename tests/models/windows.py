"""Windows and models for the tests of this folder."""

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.optim.fit import fit_gpytorch_mll_scipy
from gpytorch.mlls import ExactMarginalLogLikelihood

from arbo_bo.experiment import AmdahlLaw
from arbo_bo.models import (
    AmdahlGP,
    AmdahlMean,
    ErnestMean,
    UniversalScalabilityMean,
)

MEANS = [AmdahlMean, UniversalScalabilityMean, ErnestMean]
RESIDUALS = ["multiplicative", "additive"]
LAW = AmdahlLaw(300.0, 0.93, 5.0, 0.9)


def window(n=20, seed=0, batch=(), noise=0.05, degrees=(1, 2, 4, 8, 16)):
    rng = np.random.default_rng(seed)
    s = rng.choice(degrees, (*batch, n)).astype(float)
    gamma, load = rng.uniform(0.5, 2, s.shape), rng.choice([0.0, 2, 4], s.shape)
    law = np.vectorize(LAW.runtime_s)(s, gamma)
    time = law * np.exp(noise * rng.standard_normal(s.shape))
    X = torch.from_numpy(np.stack([s, gamma, load], axis=-1))
    return X, torch.from_numpy(time)[..., None]


def model_of(X, time, residual="multiplicative", **options):
    return AmdahlGP(X, AmdahlGP.outcome_of_time(time, residual), residual=residual, **options)


def in_outcomes_unit(model, targets):
    """What the process trains on, ``... x n x m``, as the outcome that it came from."""
    if not hasattr(model, "outcome_transform"):
        return targets
    return model.outcome_transform.untransform(targets)[0]


def mll_of(model):
    return ExactMarginalLogLikelihood(model.likelihood, model)


def fit_by_autograd(mll):
    return fit_gpytorch_mll(mll, optimizer=fit_gpytorch_mll_scipy)
