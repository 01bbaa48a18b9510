"""A fit of the numerics as a BoTorch model."""

import math

import numpy as np
import torch

from arbo_bo.experiment import Residual
from arbo_bo.models.amdahl_gp import AmdahlGP
from arbo_bo.models.analytic import assign
from arbo_bo.models.mean import MEANS
from arbo_bo.numerics.fitting import Fit
from arbo_bo.numerics.priors import Normal, ResidualPrior


def amdahl_gp_of(fit: Fit) -> AmdahlGP:
    """The model whose posterior is `Posterior(fit)`, in evaluation mode.

    It holds the runs that train, at the outcomes that they count as; its noise is the one that
    predicts.
    """
    problem, kept = fit.problem, torch.from_numpy(fit.kept)
    additive = problem.residual is Residual.ADDITIVE
    unit, y = math.exp(problem.log_scale), torch.from_numpy(fit.explanation.y)
    outcome = y * unit if additive else y + problem.log_scale
    pairs = list(zip(problem.location.tolist(), problem.scale.tolist(), strict=True))
    m = len(problem.law.parameters)
    outputscale, *lengthscales, noise = (Normal(*pair) for pair in pairs[m:])
    model = AmdahlGP(
        torch.from_numpy(problem.X)[kept],
        outcome[kept].unsqueeze(-1),
        residual=problem.residual,
        law_prior=dict(zip(problem.law.names, pairs[:m], strict=True)),
        residual_prior=ResidualPrior(outputscale, tuple(lengthscales), noise),
        time_scale=torch.tensor([unit], dtype=torch.float64),
        mean=MEANS[problem.law.name],
    )
    assign(model, np.array(fit.x, dtype=np.float64))
    model.likelihood.inflate(fit.noise_inflation)
    model.explanation = fit.explanation
    return model.eval()
