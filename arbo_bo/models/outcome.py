"""Outcome transforms between execution times in seconds and what the process is trained on."""

import torch
from botorch.models.transforms.outcome import Log, OutcomeTransform, Standardize
from botorch.posteriors import Posterior
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from linear_operator import to_linear_operator
from torch import Tensor

from arbo_bo.errors import InvalidValueError, ShapeError


class RelativeTime(Standardize):
    """T [s] to T / u and back.

    The process of an additive residual is of T / u, so that its numbers are of order one whatever
    the unit of time: gpytorch raises variances to 1e-10, and adds as much to a covariance that it
    factorizes, which is more than a run of some milliseconds varies by.

    Args:
        time_scale: u [s], ``batch_shape x 1 x m``.
    """

    def __init__(self, time_scale: Tensor) -> None:
        super().__init__(m=time_scale.shape[-1], batch_shape=time_scale.shape[:-2])
        self.means = torch.zeros_like(time_scale)
        self.stdvs, self._stdvs_sq = time_scale, time_scale.square()
        self._is_trained = torch.tensor(True)
        self.eval()

    def train(self, mode: bool = True) -> "RelativeTime":
        """Stays as it is: u is given, and not learned from what is transformed."""
        super().train(False)
        return self

    def subset_output(self, idcs: list[int]) -> "RelativeTime":
        """The transform of some of the outputs."""
        return RelativeTime(self.stdvs[..., idcs])

    def untransform_posterior(
        self, posterior: Posterior, X: Tensor | None = None
    ) -> GPyTorchPosterior:
        """The posterior of T [s]."""
        seconds = super().untransform_posterior(posterior, X).distribution
        return ScaledPosterior(seconds, posterior, self.stdvs)


class ScaledPosterior(GPyTorchPosterior):
    """The normal posterior of u Y, with variances and draws made from those of Y.

    Args:
        distribution: Of u Y.
        relative: The posterior of Y.
        scale: u, broadcastable to ``batch_shape x q x m``.
    """

    def __init__(
        self, distribution: MultivariateNormal, relative: GPyTorchPosterior, scale: Tensor
    ) -> None:
        super().__init__(distribution)
        self.relative, self.scale = relative, scale

    @property
    def variance(self) -> Tensor:
        """u^2 Var[Y], ``batch_shape x q x m``."""
        return self.relative.variance * self.scale.square()

    def rsample(self, sample_shape: torch.Size | None = None) -> Tensor:
        """Joint draws, ``sample_shape x batch_shape x q x m``."""
        return self.relative.rsample(sample_shape) * self.scale

    def rsample_from_base_samples(self, sample_shape: torch.Size, base_samples: Tensor) -> Tensor:
        """As `rsample`, from given standard normal draws."""
        return self.relative.rsample_from_base_samples(sample_shape, base_samples) * self.scale


class LogTime(Log):
    """T [s] to log T and back, with a posterior of T that has the lognormal's moments.

    BoTorch's own `Log` hands out a posterior that is no normal distribution, which functions that
    scale and weigh posteriors do not take.

    Example:
        >>> X = torch.tensor([[1.0, 1, 0], [2, 1, 0], [4, 1, 0]])
        >>> seconds = torch.tensor([[292.0], [150], [83]])
        >>> model = AmdahlGP(X, seconds, outcome_transform=LogTime())
        >>> mean_s = model.posterior(X).mean
    """

    def forward(
        self, Y: Tensor, Yvar: Tensor | None = None, X: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Seconds -> log seconds.

        Raises:
            InvalidValueError: A time is not above 0.
        """
        if not bool((Y > 0).all()):
            raise InvalidValueError(
                f"execution times must be above 0 s, got {Y.min().item():g}; give the seconds "
                "themselves, which nothing may have standardized"
            )
        return super().forward(Y, Yvar, X)

    def untransform_posterior(
        self, posterior: Posterior, X: Tensor | None = None
    ) -> "LognormalPosterior":
        """The posterior of T [s]."""
        return LognormalPosterior(posterior)


class LognormalPosterior(GPyTorchPosterior):
    """The posterior of T for log T ~ N(mu, S): lognormal draws, and a normal of the same moments.

    Draws and quantiles are the lognormal's own. `distribution` is the normal one with its moments,
    for what takes normal posteriors alone:

        E[T_i] = m_i = exp(mu_i + S_ii / 2)
        Cov[T_i, T_j] = m_i m_j (exp(S_ij) - 1)

    Args:
        log_time: The posterior of log T, of one output.

    Raises:
        ShapeError: There are several outputs.
    """

    def __init__(self, log_time: GPyTorchPosterior) -> None:
        if log_time.mean.shape[-1] != 1:
            raise ShapeError("give one output of log time; take model.subset_output([i])")
        mu, covariance = log_time.distribution.mean, log_time.distribution.covariance_matrix
        mean = (mu + covariance.diagonal(dim1=-2, dim2=-1) / 2).exp()
        outer = mean.unsqueeze(-1) * mean.unsqueeze(-2)
        # As an operator it is factorized where that is needed; many points have a singular one.
        super().__init__(MultivariateNormal(mean, to_linear_operator(outer * covariance.expm1())))
        self.log_time = log_time

    @property
    def variance(self) -> Tensor:
        """E[T]^2 (exp(S_ii) - 1), ``batch_shape x q x 1``."""
        return self.mean.square() * self.log_time.variance.expm1()

    def quantile(self, value: Tensor) -> Tensor:
        """Quantiles of each time."""
        return self.log_time.quantile(value).exp()

    def density(self, value: Tensor) -> Tensor:
        """The probability density of each time."""
        return self.log_time.density(value.log()) / value

    def rsample(self, sample_shape: torch.Size | None = None) -> Tensor:
        """Joint draws, ``sample_shape x batch_shape x q x 1``."""
        return self.log_time.rsample(sample_shape).exp()

    def rsample_from_base_samples(self, sample_shape: torch.Size, base_samples: Tensor) -> Tensor:
        """As `rsample`, from given standard normal draws."""
        return self.log_time.rsample_from_base_samples(sample_shape, base_samples).exp()


def refuse_transforms(input_transform: object, outcome_transform: OutcomeTransform | None) -> None:
    """Raises where a transform would hide the units from the law.

    Raises:
        InvalidValueError: There is one, other than `LogTime`.
    """
    if input_transform is not None:
        raise InvalidValueError(
            f"AmdahlGP takes no input transform, got {type(input_transform).__name__}: the law "
            "needs s, gamma and L in physical units, and the kernel scales them itself"
        )
    if outcome_transform is not None and type(outcome_transform) is not LogTime:
        raise InvalidValueError(
            f"AmdahlGP takes no outcome transform, got {type(outcome_transform).__name__}: the law "
            "needs the unit of time; give log seconds, or seconds with outcome_transform=LogTime()"
        )
