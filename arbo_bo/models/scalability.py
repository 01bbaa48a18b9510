"""What every scalability law is as the mean function of a Gaussian process."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

import torch
from gpytorch import Module
from gpytorch.constraints import Interval
from gpytorch.means import Mean
from gpytorch.priors import NormalPrior
from torch import Tensor

from arbo_bo.errors import InvalidValueError, ShapeError
from arbo_bo.experiment import AmdahlLaw, MeanFunction
from arbo_bo.numerics.hyperparameters import amdahl_part
from arbo_bo.numerics.inputs import GAMMA, S
from arbo_bo.numerics.laws import Law
from arbo_bo.numerics.priors import Parameter

Normal = tuple[float, float]
"""Mean and standard deviation."""
LawPrior = Mapping[str, Normal]
"""Normal priors by a parameter's name."""


@dataclass(frozen=True)
class NamedParameter:
    """Reads and sets the parameter of a name, as a prior does.

    gpytorch makes closures for a prior that is registered by name, which cannot be pickled; bound
    methods can.
    """

    name: str

    def read(self, module: Module) -> Tensor:
        """The parameter's value."""
        value: Tensor = getattr(module, self.name)
        return value

    def set(self, module: Module, value: Tensor) -> None:
        """Sets the parameter, inside its constraint."""
        module.initialize(**{self.name: value})


class ScalabilityMean(Mean, ABC):
    """A law of T(s, gamma), or its logarithm, in physical units.

    A subclass names its law (`arbo_bo.numerics.laws`) and declares its parameters. They
    live unconstrained, bounded and under normal priors, times relative to u, so that
    optimizers see numbers of order one whatever the unit of time. Each has shape ``batch_shape x
    1``. The priors say what is known before any run: jobs that people parallelize are mostly
    parallel, start-up and overheads are a small part, and work grows about linearly with its input.

    Args:
        batch_shape: Batch shape of the parameters.
        time_scale: u [s], broadcastable to ``batch_shape x 1``, above 0.
        prior: Priors in place of a parameter's own.
        log_output: Whether the mean is log T (the outcome is log time) instead of T.
        relative: Whether a mean of T is of T / u instead.

    Attributes:
        LAW: The law over u.
        PARAMETERS: Its parameters by name, in their order.
        NAME: What `arbo_bo.experiment.MeanFunction` calls it.

    Raises:
        InvalidValueError: `time_scale` is not positive and finite.
    """

    LAW: ClassVar[Law]
    PARAMETERS: ClassVar[Mapping[str, Parameter]]
    NAME: ClassVar[MeanFunction]
    time_scale: Tensor

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.NAME, cls.PARAMETERS = cls.LAW.name, {p.name: p for p in cls.LAW.parameters}

    def __init__(
        self,
        batch_shape: torch.Size = torch.Size(),  # noqa: B008  immutable
        time_scale: float | Tensor = 1.0,
        prior: LawPrior | None = None,
        log_output: bool = True,
        relative: bool = False,
    ) -> None:
        super().__init__()
        scale = torch.as_tensor(time_scale, dtype=torch.float64)
        if not bool(((scale > 0) & torch.isfinite(scale)).all()):
            raise InvalidValueError(f"time_scale must be above 0 and finite, got {scale.tolist()}")
        shape = torch.Size((*batch_shape, 1))
        self.log_output, self.relative = log_output, relative
        self.register_buffer("time_scale", scale.expand(shape).clone())
        for name, (location, spread) in self.priors(prior).items():
            low, high = self.PARAMETERS[name].low, self.PARAMETERS[name].high
            start = torch.full(shape, min(max(location, low), high), dtype=torch.float64)
            self.register_parameter(name, torch.nn.Parameter(start))
            self.register_constraint(name, Interval(low, high, transform=None))
            loc = torch.tensor(location, dtype=torch.float64)
            normal = NormalPrior(loc, torch.tensor(spread, dtype=torch.float64))
            named = NamedParameter(name)
            self.register_prior(f"{name}_prior", normal, named.read, named.set)

    @classmethod
    def priors(cls, given: LawPrior | None = None) -> dict[str, Normal]:
        """The prior of every parameter, in their order."""
        known = {name: parameter.prior for name, parameter in cls.PARAMETERS.items()}
        own = {name: (prior.location, prior.scale) for name, prior in known.items()}
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
        location = s.new_tensor([mean for mean, _ in cls.priors(prior).values()])
        shape = cls.LAW.runtime(s, gamma, location)
        return (time.log() - shape.log()).median(dim=-1, keepdim=True).values.exp()

    @property
    def law(self) -> AmdahlLaw:
        """The part of a single mean that is Amdahl's law; see `amdahl_part`.

        Raises:
            ShapeError: The mean is a batch.
        """
        return amdahl_part(self.NAME, self.learned)

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
            ``batch_shape x n``: log seconds, or seconds, or T / u.

        Raises:
            ShapeError: x has fewer than two columns.
        """
        if x.shape[-1] < 2:
            raise ShapeError(f"x needs columns s and gamma, got shape {tuple(x.shape)}")
        relative = self.LAW.runtime(x[..., S], x[..., GAMMA], self._theta)
        if self.log_output:
            return relative.log() + self.time_scale.log()
        return relative * self._unit

    def integrated(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The law with its parameters integrated out under their priors, to first order.

        Around the parameters' values v the law is f(x) + J(x) (theta - v), and with theta ~ N(m, S)
        it is a Gaussian process of mean f + J (m - v) and covariance J S J'.

        Any prior that has a mean and a standard deviation will do.

        Args:
            x: As in `forward`.

        Returns:
            The mean, ``batch_shape x n``, and a root of the covariance, ``batch_shape x n x m``.
        """
        priors = [getattr(self, f"{name}_prior") for name in self.PARAMETERS]
        theta = self._theta
        time, jacobian = self.LAW.runtime_and_jacobian(x[..., S], x[..., GAMMA], theta)
        if self.log_output:
            mean, jacobian = time.log() + self.time_scale.log(), jacobian / time[..., None]
        else:
            mean, jacobian = time * self._unit, jacobian * self._unit[..., None]
        location, spread = (
            torch.cat([values(p).expand_as(theta[..., :1]) for p in priors], -1)
            for values in (attrgetter("mean"), attrgetter("stddev"))
        )
        shift = (location - theta).unsqueeze(-2)
        return mean + (jacobian * shift).sum(-1), jacobian * spread.unsqueeze(-2)

    @property
    def _theta(self) -> Tensor:
        """All parameters, ``batch_shape x m``."""
        return torch.cat([getattr(self, name) for name in self.PARAMETERS], -1)

    @property
    def _unit(self) -> Tensor:
        """What T / u is multiplied by, ``batch_shape x 1``."""
        return torch.ones_like(self.time_scale) if self.relative else self.time_scale
