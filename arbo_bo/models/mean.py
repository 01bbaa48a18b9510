"""Amdahl's law as a mean function of a Gaussian process."""

import math
from dataclasses import dataclass

import torch
from gpytorch.constraints import Interval
from gpytorch.means import Mean
from gpytorch.priors import NormalPrior
from torch import Tensor

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment.law import runtime
from arbo_bo.formulas.law import PARAMETERS, amdahl_runtime

BOUNDS = {
    "log_t1": (-14.0, 14.0),
    "logit_p": (-7.0, 10.0),
    "log_c": (-14.0, 7.0),
    "k_exponent": (0.0, 4.0),
}


@dataclass(frozen=True)
class LawPrior:
    """Normal priors on log(T1 / u), logit(p), log(C / u) and k, where u is a scale of time.

    The defaults say what is known before any run: jobs that people parallelize are mostly parallel,
    start-up is a small part, and work grows about linearly with its input. They are free of units,
    so one set serves every task.

    Attributes:
        location: Four means.
        scale: Four standard deviations, above 0.
    """

    location: tuple[float, float, float, float] = (0.0, 2.5, -4.0, 1.0)
    scale: tuple[float, float, float, float] = (1.5, 1.5, 1.5, 0.5)

    def time_scale(self, s: Tensor, gamma: Tensor, time: Tensor) -> Tensor:
        """The u that fits the observed times under the prior's own shape of the law.

        The median over the window of t / T(s, gamma), T being the prior's location with u = 1: a
        robust estimate of T1, so that a straggler or an outlier in size moves it little.

        Args:
            s: Degrees, ``batch_shape x n``.
            gamma: Input scaling, ``batch_shape x n``.
            time: Execution times [s], ``batch_shape x n``.

        Returns:
            u in seconds, ``batch_shape x 1``.
        """
        log_t1, logit_p, log_c, k = (s.new_tensor(v) for v in self.location)
        shape = amdahl_runtime(s, gamma, log_t1, logit_p, log_c, k)
        return (time.log() - shape).median(dim=-1, keepdim=True).values.exp()


class AmdahlMean(Mean):
    """T(s, gamma) = C + gamma^k T1 ((1 - p) + p / s), or its logarithm, in physical units.

    The parameters live as log(T1 / u), logit(p), log(C / u) and k, bounded and under normal priors,
    so that optimizers see numbers of order one whatever the unit of time; `t1`, `p`, `c` and `k`
    read and set the physical values. Each has shape ``batch_shape x 1``.

    Args:
        batch_shape: Batch shape of the parameters.
        time_scale: u [s], broadcastable to ``batch_shape x 1``, above 0.
        prior: Priors on the four parameters.
        log_output: Whether the mean is log T (the outcome is log time) instead of T.

    Raises:
        InvalidValueError: `time_scale` is not positive and finite.

    Source: Amdahl 1967; the scaling gamma^k, the start-up C and the residual on top are ARBO's.
    """

    log_t1: Tensor
    logit_p: Tensor
    log_c: Tensor
    k_exponent: Tensor
    time_scale: Tensor

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        time_scale: float | Tensor = 1.0,
        prior: LawPrior | None = None,
        log_output: bool = True,
    ) -> None:
        super().__init__()
        prior = prior or LawPrior()
        scale = torch.as_tensor(time_scale, dtype=torch.float64)
        if not bool(((scale > 0) & torch.isfinite(scale)).all()):
            raise InvalidValueError(f"time_scale must be above 0 and finite, got {scale.tolist()}")
        shape = torch.Size((*batch_shape, 1))
        self.log_output = log_output
        self.register_buffer("time_scale", scale.expand(shape).clone())
        for name, location, spread in zip(PARAMETERS, prior.location, prior.scale, strict=True):
            low, high = BOUNDS[name]
            start = torch.full(shape, min(max(location, low), high), dtype=torch.float64)
            self.register_parameter(name, torch.nn.Parameter(start))
            self.register_constraint(name, Interval(low, high, transform=None))
            loc = torch.tensor(location, dtype=torch.float64)
            normal = NormalPrior(loc, torch.tensor(spread, dtype=torch.float64))
            self.register_prior(f"{name}_prior", normal, name)

    @property
    def t1(self) -> Tensor:
        """T1, work time at s = 1 and gamma = 1 [s], ``batch_shape x 1``."""
        return self.time_scale * self.log_t1.exp()

    @property
    def p(self) -> Tensor:
        """The parallelizable fraction, in (0, 1), ``batch_shape x 1``."""
        return torch.sigmoid(self.logit_p)

    @property
    def c(self) -> Tensor:
        """C, start-up time [s], ``batch_shape x 1``."""
        return self.time_scale * self.log_c.exp()

    @property
    def k(self) -> Tensor:
        """The complexity exponent, ``batch_shape x 1``."""
        return self.k_exponent

    def set_law(self, t1: float, p: float, c: float, k: float) -> None:
        """Sets the parameters from physical values, moved inside the bounds where they are outside.

        Args:
            t1: T1 [s].
            p: Parallelizable fraction.
            c: C [s].
            k: Complexity exponent.
        """
        scale = self.time_scale
        tiny = 1e-300
        raw = {
            "log_t1": (t1 / scale).clamp_min(tiny).log(),
            "logit_p": torch.full_like(scale, _logit(p)),
            "log_c": (c / scale).clamp_min(tiny).log(),
            "k_exponent": torch.full_like(scale, k),
        }
        for name, value in raw.items():
            getattr(self, name).data.copy_(value.clamp(*BOUNDS[name]))

    def forward(self, x: Tensor) -> Tensor:
        """The law at x.

        Args:
            x: ``batch_shape x n x d`` with d >= 2; column 0 is s, column 1 gamma, in physical
                units; further columns (the cluster load) are the residual's business.

        Returns:
            ``batch_shape x n``: log seconds, or seconds.

        Raises:
            ShapeError: x has fewer than two columns.
        """
        if x.shape[-1] < 2:
            raise ShapeError(f"x needs columns s and gamma, got shape {tuple(x.shape)}")
        s, gamma = x[..., 0], x[..., 1]
        if self.log_output:
            shape = amdahl_runtime(s, gamma, self.log_t1, self.logit_p, self.log_c, self.k)
            return shape + self.time_scale.log()
        return runtime(s, gamma, self.t1, self.p, self.c, self.k)


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))
