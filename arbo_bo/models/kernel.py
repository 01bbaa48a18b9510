"""The covariance of the residual."""

import math

import torch
from gpytorch.constraints import Interval
from gpytorch.kernels import Kernel, MaternKernel, ScaleKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.priors import LogNormalPrior
from torch import Tensor

from arbo_bo.numerics.inputs import features
from arbo_bo.numerics.kernel import structure
from arbo_bo.numerics.priors import (
    LENGTHSCALE_BOUNDS,
    NOISE_BOUNDS,
    OUTPUTSCALE_BOUNDS,
    Normal,
    ResidualPrior,
)


class ResidualCorrelation(Kernel):
    """Matern-5/2 ARD on log s, log gamma and L / (L + 8), and what is not smooth beside it.

    The inputs stay in physical units. It is no `MaternKernel`, and says no `lengthscale` of its
    own: how much an input matters is not what the smooth part's lengthscales say.

    Args:
        smooth: The Matern part; nothing of the others is learned.

    Source: `arbo_bo.numerics.kernel`.
    """

    def __init__(self, smooth: MaternKernel) -> None:
        super().__init__(batch_shape=smooth.batch_shape)
        self.smooth = smooth

    def forward(self, x1: Tensor, x2: Tensor, diag: bool = False, **params: object) -> Tensor:
        """The correlation of two sets of inputs, ``... x n x 3`` and ``... x m x 3``."""
        first, second = features(x1), features(x2)
        smooth = self.smooth.forward(first, second, diag=diag, **params)
        if diag:
            pairs = structure(first.unsqueeze(-2), second.unsqueeze(-2))
            return smooth + pairs.squeeze(-1).squeeze(-1)
        return smooth + structure(first, second)


class ResidualKernel(ScaleKernel):
    """The residual's covariance: outputscale * `ResidualCorrelation`, bounded and priored.

    Args:
        batch_shape: Batch shape of the hyperparameters.
        prior: Priors on the hyperparameters.
    """

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        prior: ResidualPrior | None = None,
    ) -> None:
        prior = prior or ResidualPrior()
        pairs = [(normal.location, normal.scale) for normal in prior.lengthscales]
        location, spread = torch.tensor(pairs, dtype=torch.float64).unbind(-1)
        smooth = MaternKernel(
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
        super().__init__(
            ResidualCorrelation(smooth),
            batch_shape=batch_shape,
            outputscale_prior=_prior(prior.outputscale),
            outputscale_constraint=_bounds(OUTPUTSCALE_BOUNDS, prior.outputscale),
        )
        self.to(torch.float64)

    @property
    def smooth(self) -> MaternKernel:
        """The part whose lengthscales are learned."""
        return self.base_kernel.smooth


class RunNoise(GaussianLikelihood):
    """The noise of a run, homoscedastic in log T or in T / u, bounded and priored.

    `noise` is what is predicted with, of the runs that were seen, so that they are believed less,
    and of those to come. It is `noise_inflation` times the noise that was fitted under a prior of
    little noise (`arbo_bo.models.analytic.calibrate`).

    Args:
        batch_shape: Batch shape of the noise.
        prior: As in `ResidualKernel`.

    Attributes:
        noise_inflation: 1 before a fit, ``batch_shape x 1``.
    """

    noise_inflation: Tensor

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        prior: ResidualPrior | None = None,
    ) -> None:
        prior = prior or ResidualPrior()
        super().__init__(
            batch_shape=batch_shape,
            noise_prior=_prior(prior.noise),
            noise_constraint=_bounds(NOISE_BOUNDS, prior.noise),
        )
        self.register_buffer("noise_inflation", torch.ones(*batch_shape, 1, dtype=torch.float64))
        self.to(torch.float64)

    @property
    def fitted_noise(self) -> Tensor:
        """The most probable noise variance under its prior, ``batch_shape x 1``."""
        return self.noise / self.noise_inflation

    def inflate(self, factor: float | Tensor) -> None:
        """Sets the noise to so many times that which was fitted.

        Args:
            factor: 1 or more, broadcastable to ``batch_shape x 1``.
        """
        fitted = self.fitted_noise.detach()
        self.noise_inflation.copy_(torch.as_tensor(factor))
        self.raw_noise.data.copy_(fitted * self.noise_inflation)


def _prior(prior: Normal) -> LogNormalPrior:
    """A lognormal prior on a variance.

    Its density by the variance carries a factor 1 / variance beside the normal one of the
    logarithm, and is largest at the logarithm's mean less its variance.
    """
    mode, scale = prior.location, prior.scale
    mean, spread = torch.tensor((mode + scale**2, scale), dtype=torch.float64)
    return LogNormalPrior(mean, spread)


def _bounds(bounds: tuple[float, float], prior: Normal) -> Interval:
    """The bounds of a variance, which starts where its prior's density is largest."""
    low, high = bounds
    start = torch.tensor(min(max(math.exp(prior.location), low), high), dtype=torch.float64)
    return Interval(low, high, transform=None, initial_value=start)
