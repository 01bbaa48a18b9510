"""The covariance of the residual."""

import math
from dataclasses import dataclass

import torch
from gpytorch.constraints import Interval
from gpytorch.kernels import MaternKernel, ScaleKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.priors import LogNormalPrior
from linear_operator import LinearOperator
from torch import Tensor

from arbo_bo.formulas.kernel import features, structure

LENGTHSCALE_BOUNDS = (0.05, 50.0)
OUTPUTSCALE_BOUNDS = (1e-6, 25.0)
NOISE_BOUNDS = (1e-6, 4.0)

LogNormal = tuple[float, float]
"""Logarithm of the most probable value, and standard deviation of the logarithm."""


@dataclass(frozen=True)
class ResidualPrior:
    """Lognormal priors on the residual's hyperparameters.

    In log time variances are free of units, and with an additive residual they are in units of the
    time scale squared, so one set serves every task: the smooth residual's standard deviation is
    around 18 %, the noise of a run around 3 %. That is less than most runs have, on purpose: the
    fit of few runs then takes what it sees for structure, and looks again, not for noise.
    Lengthscales are long: what departs from a law departs slowly, and the fine structure is
    `formulas.kernel.structure`'s.

    Attributes:
        outputscale: Variance of the residual.
        lengthscales: On log s, log gamma and L / (L + 8).
        noise: Variance of a run's noise.
    """

    outputscale: LogNormal = (2 * math.log(0.18), 0.5)
    lengthscales: tuple[LogNormal, LogNormal, LogNormal] = ((0.6, 0.3), (1.7, 0.3), (-0.8, 0.3))
    noise: LogNormal = (2 * math.log(0.03), 1.25)


class FeatureMatern(MaternKernel):
    """Matern-5/2 ARD on log s, log gamma and L / (L + 8), and what is not smooth beside it.

    The inputs stay in physical units. Source: `arbo_bo.formulas.kernel`.
    """

    def forward(self, x1: Tensor, x2: Tensor, **params: object) -> Tensor:
        """The correlation of two sets of inputs, ``... x n x 3`` and ``... x m x 3``."""
        first, second = features(x1), features(x2)
        smooth = super().forward(first, second, **params)
        if params.get("diag"):
            pairs = structure(first.unsqueeze(-2), second.unsqueeze(-2))
            return smooth + pairs.squeeze(-1).squeeze(-1)
        return smooth + structure(first, second)


class ResidualKernel(ScaleKernel):
    """The residual's covariance: outputscale * `FeatureMatern`, bounded and priored.

    Args:
        batch_shape: Batch shape of the hyperparameters.
        variance_unit: What one unit of outputscale is in the outcome's unit squared: 1 for log
            time, the time scale squared for seconds; ``batch_shape``.
        prior: Priors on the hyperparameters.
    """

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        variance_unit: Tensor | None = None,
        prior: ResidualPrior | None = None,
    ) -> None:
        prior = prior or ResidualPrior()
        location, spread = torch.tensor(prior.lengthscales, dtype=torch.float64).unbind(-1)
        base = FeatureMatern(
            nu=2.5,
            ard_num_dims=len(location),
            batch_shape=batch_shape,
            lengthscale_prior=LogNormalPrior(location + spread**2, spread),
            lengthscale_constraint=Interval(
                *LENGTHSCALE_BOUNDS,
                transform=None,
                initial_value=location.exp().clamp(*LENGTHSCALE_BOUNDS),
            ),
        )
        unit = _unit(variance_unit)
        super().__init__(
            base,
            batch_shape=batch_shape,
            outputscale_prior=_prior(prior.outputscale, unit),
            outputscale_constraint=_bounds(OUTPUTSCALE_BOUNDS, prior.outputscale, unit),
        )
        self.to(torch.float64)


class RunNoise(GaussianLikelihood):
    """The noise of a run, homoscedastic in the outcome's unit, bounded and priored.

    Predictions are made with `widening` times the noise variance that was fitted
    (`arbo_bo.models.analytic.let_noise_predict`): of the runs that were seen, so that they are
    believed less, and of those to come.

    Args:
        batch_shape: Batch shape of the noise.
        variance_unit: As in `ResidualKernel`.
        prior: As in `ResidualKernel`.
    """

    widening: Tensor

    def __init__(
        self,
        batch_shape: torch.Size,
        variance_unit: Tensor | None = None,
        prior: ResidualPrior | None = None,
    ) -> None:
        prior = prior or ResidualPrior()
        unit = _unit(variance_unit)[..., None]
        super().__init__(
            batch_shape=batch_shape,
            noise_prior=_prior(prior.noise, unit),
            noise_constraint=_bounds(NOISE_BOUNDS, prior.noise, unit),
        )
        self.register_buffer("widening", torch.ones((), dtype=torch.float64))
        self.to(torch.float64)

    def _shaped_noise_covar(
        self, base_shape: torch.Size, *params: object, **kwargs: object
    ) -> LinearOperator:
        """The noise's covariance."""
        covariance = super()._shaped_noise_covar(base_shape, *params, **kwargs)
        told = kwargs.get("noise") is not None  # the caller's own variance, which is what it is
        return covariance if self.training or told else covariance * self.widening


def _prior(prior: LogNormal, unit: Tensor) -> LogNormalPrior:
    """A lognormal prior on a variance counted in `unit`.

    Its density by the variance carries a factor 1 / variance beside the normal one of the
    logarithm, and is largest at the logarithm's mean less its variance.
    """
    mean = prior[0] + prior[1] ** 2
    return LogNormalPrior(mean + unit.log(), torch.full_like(unit, prior[1]))


def _bounds(bounds: tuple[float, float], prior: LogNormal, unit: Tensor) -> Interval:
    """The bounds of a variance counted in `unit`, which starts at its prior's median.

    A batch shares the widest bounds of its members: BoTorch's optimizers take scalars only.
    """
    low, high = (bounds[0] * unit).min(), (bounds[1] * unit).max()
    start = (math.exp(prior[0]) * unit).clamp(low, high)
    return Interval(low, high, transform=None, initial_value=start)


def _unit(variance_unit: Tensor | None) -> Tensor:
    return torch.ones((), dtype=torch.float64) if variance_unit is None else variance_unit
