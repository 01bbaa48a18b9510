"""Scalability laws as mean functions of a Gaussian process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from gpytorch.constraints import Interval
from gpytorch.means import Mean
from gpytorch.priors import NormalPrior
from torch import Tensor

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import AmdahlLaw, MeanFunction
from arbo_bo.formulas import law as formulas
from arbo_bo.formulas.law import Vector

Normal = tuple[float, float]
"""Mean and standard deviation."""
LawPrior = Mapping[str, Normal]
"""Normal priors by a parameter's name."""


@dataclass(frozen=True)
class Parameter:
    """One number of a law that is learned.

    Attributes:
        low: Its least value.
        high: Its largest value.
        prior: What is known before any run.
        anchor: Standard deviation around a value that was learned before, for a window that says
            too little about the law's shape.
        timed: Whether it is the logarithm of a time over the time scale u.
    """

    low: float
    high: float
    prior: Normal
    anchor: float
    timed: bool = False


WORK = Parameter(-14.0, 14.0, (0.0, 1.5), anchor=1.5, timed=True)
"""log(T1 / u); its anchor leaves the level free."""
FRACTION = Parameter(-7.0, 10.0, (3.0, 1.75), anchor=0.1)
STARTUP = Parameter(-14.0, 7.0, (-4.0, 0.5), anchor=0.3, timed=True)
EXPONENT = Parameter(0.0, 4.0, (1.0, 0.4), anchor=0.1)
COHERENCY = Parameter(-20.0, 2.0, (-8.0, 2.0), anchor=0.1)
OVERHEAD = Parameter(-14.0, 7.0, (-5.0, 2.0), anchor=0.3, timed=True)
FIXED = Parameter(-14.0, 7.0, (-2.5, 1.5), anchor=0.1, timed=True)


class ScalabilityMean(Mean):
    """A law of T(s, gamma), or its logarithm, in physical units.

    A subclass names its parameters and gives the law over a time scale u with its Jacobian. The
    parameters live unconstrained, bounded and under normal priors, times relative to u, so that
    optimizers see numbers of order one whatever the unit of time. Each has shape ``batch_shape x
    1``. The priors say what is known before any run: jobs that people parallelize are mostly
    parallel, start-up and overheads are a small part, and work grows about linearly with its input.

    Args:
        batch_shape: Batch shape of the parameters.
        time_scale: u [s], broadcastable to ``batch_shape x 1``, above 0.
        prior: Priors in place of a parameter's own.
        log_output: Whether the mean is log T (the outcome is log time) instead of T.

    Attributes:
        PARAMETERS: The parameters by name, in the order of the law's arguments.
        STARTS: Where a cold search starts besides the priors' centre: some parameters' values.
        FORMULA: The law over u and its Jacobian.
        NAME: What `arbo_bo.experiment.MeanFunction` calls it.

    Raises:
        InvalidValueError: `time_scale` is not positive and finite.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]]
    STARTS: ClassVar[tuple[Mapping[str, float], ...]]
    NAME: ClassVar[MeanFunction]
    FORMULA: ClassVar[formulas.Formula]
    time_scale: Tensor

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        time_scale: float | Tensor = 1.0,
        prior: LawPrior | None = None,
        log_output: bool = True,
    ) -> None:
        super().__init__()
        scale = torch.as_tensor(time_scale, dtype=torch.float64)
        if not bool(((scale > 0) & torch.isfinite(scale)).all()):
            raise InvalidValueError(f"time_scale must be above 0 and finite, got {scale.tolist()}")
        shape = torch.Size((*batch_shape, 1))
        self.log_output = log_output
        self.register_buffer("time_scale", scale.expand(shape).clone())
        for name, (location, spread) in self.priors(prior).items():
            low, high = self.PARAMETERS[name].low, self.PARAMETERS[name].high
            start = torch.full(shape, min(max(location, low), high), dtype=torch.float64)
            self.register_parameter(name, torch.nn.Parameter(start))
            self.register_constraint(name, Interval(low, high, transform=None))
            loc = torch.tensor(location, dtype=torch.float64)
            normal = NormalPrior(loc, torch.tensor(spread, dtype=torch.float64))
            self.register_prior(f"{name}_prior", normal, name)

    @classmethod
    def priors(cls, given: LawPrior | None = None) -> dict[str, Normal]:
        """The prior of every parameter, in their order."""
        own = {name: parameter.prior for name, parameter in cls.PARAMETERS.items()}
        return own | {name: normal for name, normal in (given or {}).items() if name in own}

    @classmethod
    def scale_of(
        cls, s: Tensor, gamma: Tensor, time: Tensor, prior: LawPrior | None = None
    ) -> Tensor:
        """The time scale u that fits the observed times under the priors' own shape of the law.

        The median over the window of t / T(s, gamma), T being the law at the priors' location with
        u = 1: a robust estimate of T1, so that a straggler or an outlier in size moves it little.

        Args:
            s: Degrees, ``batch_shape x n``.
            gamma: Input scaling, ``batch_shape x n``.
            time: Execution times [s], ``batch_shape x n``.
            prior: Priors in place of a parameter's own.

        Returns:
            u in seconds, ``batch_shape x 1``.
        """
        location = (s.new_tensor(mean) for mean, _ in cls.priors(prior).values())
        shape = cls.FORMULA.runtime(s, gamma, *location)
        return (time.log() - shape.log()).median(dim=-1, keepdim=True).values.exp()

    @property
    def law(self) -> AmdahlLaw:
        """The part of a single mean that is Amdahl's law.

        Raises:
            ShapeError: The mean is a batch.
        """
        raise NotImplementedError

    @property
    def learned(self) -> dict[str, float]:
        """A single mean's parameters by name, times as the logarithm of seconds."""
        if self.time_scale.numel() != 1:
            shape = tuple(self.time_scale.shape[:-1])
            raise ShapeError(f"a batch of laws, of shape {shape}; take one")
        log_u = self.time_scale.log().item()
        return {
            name: getattr(self, name).item() + log_u * parameter.timed
            for name, parameter in self.PARAMETERS.items()
        }

    def set_learned(self, learned: Mapping[str, float]) -> None:
        """Sets parameters by name, moved inside the bounds where they are outside.

        Args:
            learned: Values as in `learned`; names that this law does not have are left out.
        """
        for name in learned.keys() & self.PARAMETERS.keys():
            p = self.PARAMETERS[name]
            value = learned[name] - self.time_scale.log() * p.timed
            getattr(self, name).data.copy_(value.clamp(p.low, p.high))

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
        values = (getattr(self, name) for name in self.PARAMETERS)
        relative = self.FORMULA.runtime(x[..., 0], x[..., 1], *values)
        if self.log_output:
            return relative.log() + self.time_scale.log()
        return relative * self.time_scale

    def integrated(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The law with its parameters integrated out under their priors, to first order.

        Around the parameters' values v the law is f(x) + J(x) (theta - v), and with theta ~ N(m, S)
        it is a Gaussian process of mean f + J (m - v) and covariance J S J'.

        Args:
            x: As in `forward`.

        Any prior that has a mean and a standard deviation will do.

        Returns:
            The mean, ``batch_shape x n``, and a root of the covariance, ``batch_shape x n x m``.
        """
        values = [getattr(self, name) for name in self.PARAMETERS]
        priors = [getattr(self, f"{name}_prior") for name in self.PARAMETERS]
        time, jacobian = self.FORMULA.jacobian(x[..., 0], x[..., 1], *values)
        if self.log_output:
            mean, jacobian = time.log() + self.time_scale.log(), jacobian / time[..., None]
        else:
            mean, jacobian = time * self.time_scale, jacobian * self.time_scale[..., None]
        shift = torch.cat([p.mean - v for p, v in zip(priors, values, strict=True)], -1)
        spread = torch.cat(
            [p.stddev.expand_as(v) for p, v in zip(priors, values, strict=True)], -1
        ).unsqueeze(-2)
        return mean + (jacobian * shift.unsqueeze(-2)).sum(-1), jacobian * spread

    def values_and_jacobian(
        self, s: Vector, gamma: Vector, parameters: Vector
    ) -> tuple[Vector, Vector]:
        """A single mean and its derivatives by the parameters, in numpy.

        Args:
            s: Degrees, shape (n,).
            gamma: Input scaling, shape (n,).
            parameters: All parameters, in their order, shape (m,).

        Returns:
            Values of shape (n,) and the Jacobian of shape (n, m).
        """
        time, jacobian = self.FORMULA.jacobian(s, gamma, *parameters)
        unit = self.time_scale.item()
        if self.log_output:
            return np.log(time) + math.log(unit), jacobian / time[:, None]
        return time * unit, jacobian * unit


class AmdahlMean(ScalabilityMean):
    """T(s, gamma) = C + gamma^k T1 ((1 - p) + p / s), or its logarithm, in physical units.

    Learned as log(T1 / u), logit(p), log(C / u) and k; `t1`, `p`, `c` and `k` read the physical
    values. See `ScalabilityMean` for arguments and errors.

    Source: Amdahl 1967; the scaling gamma^k, the start-up C and the residual on top are ARBO's.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {"log_t1": WORK, "logit_p": FRACTION, "log_c": STARTUP, "k_exponent": EXPONENT}
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = ({"logit_p": 0.0},)
    NAME = MeanFunction.AMDAHL
    FORMULA = formulas.AMDAHL

    log_t1: Tensor
    logit_p: Tensor
    log_c: Tensor
    k_exponent: Tensor

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

    @property
    def law(self) -> AmdahlLaw:
        """T1, p, C and k of a single mean."""
        learned = self.learned
        t1, c = math.exp(learned["log_t1"]), math.exp(learned["log_c"])
        return AmdahlLaw(t1_s=t1, p=self.p.item(), c_s=c, k=learned["k_exponent"])

    def set_law(self, law: AmdahlLaw) -> None:
        """Sets the parameters from physical values, moved inside the bounds."""
        self.set_learned(formulas.amdahl_parameters(law))


class UniversalScalabilityMean(AmdahlMean):
    """T = C + gamma^k T1 / s (1 + sigma (s - 1) + kappa s (s - 1)), or its logarithm.

    With sigma = 1 - p this is Amdahl's law with gamma^k T1 kappa (s - 1) added: past s =
    sqrt(p / kappa) more workers are slower. `law` leaves that term out. See `ScalabilityMean` for
    arguments and errors.

    Source: N. J. Gunther, Guerrilla Capacity Planning, Springer 2007.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {**AmdahlMean.PARAMETERS, "log_kappa": COHERENCY}
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = ({"logit_p": 0.0}, {"log_kappa": -4.0})
    NAME = MeanFunction.USL
    FORMULA = formulas.USL

    log_kappa: Tensor

    @property
    def kappa(self) -> Tensor:
        """The cost of coherency, ``batch_shape x 1``."""
        return self.log_kappa.exp()


class ErnestMean(ScalabilityMean):
    """T = theta0 + theta1 gamma^k / s + theta2 log s + theta3 s with theta > 0, or its logarithm.

    The input size acts on the work that is divided, as in the source; its exponent is learned. The
    part that is Amdahl's law has T1 = theta1, p = 1 and C = theta0. See `ScalabilityMean` for
    arguments and errors.

    Source: S. Venkataraman et al., Ernest, NSDI 2016.
    """

    PARAMETERS: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {
            "log_t1": WORK,
            "log_fixed": FIXED,
            "log_tree": OVERHEAD,
            "log_linear": OVERHEAD,
            "k_exponent": EXPONENT,
        }
    )
    STARTS: ClassVar[tuple[Mapping[str, float], ...]] = ({"log_fixed": -0.7}, {"log_linear": -3.0})
    NAME = MeanFunction.ERNEST
    FORMULA = formulas.ERNEST

    log_t1: Tensor
    log_fixed: Tensor
    log_tree: Tensor
    log_linear: Tensor
    k_exponent: Tensor

    @property
    def law(self) -> AmdahlLaw:
        """Theta1 as perfectly parallel work, theta0 as start-up."""
        learned = self.learned
        t1, fixed = math.exp(learned["log_t1"]), math.exp(learned["log_fixed"])
        return AmdahlLaw(t1_s=t1, p=1.0, c_s=fixed, k=learned["k_exponent"])


MEANS: Mapping[MeanFunction, type[ScalabilityMean]] = MappingProxyType(
    {mean.NAME: mean for mean in (AmdahlMean, UniversalScalabilityMean, ErnestMean)}
)
