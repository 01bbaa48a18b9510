"""All trials of one task: what its owner configured, and what was learned so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.experiment.arm import Arm
from arbo_bo.experiment.keywords import UNSET, resolved
from arbo_bo.experiment.law import DEFAULT_MEAN, AmdahlLaw, MeanFunction
from arbo_bo.experiment.objective import Objective
from arbo_bo.experiment.prediction import Residual
from arbo_bo.experiment.space import SearchSpace
from arbo_bo.experiment.strategy import AUTO, DEFAULT_ACQUISITION, Strategy
from arbo_bo.experiment.trial import Trial
from arbo_bo.experiment.worker_type import (
    WorkerType,
    WorkerTypes,
    allowed_arms,
    require_allowed,
    require_one_price,
)

DEFAULT_PARALLELISM = 5
DEFAULT_SPACE = SearchSpace.between(1, 32)
DEFAULT_WINDOW = 50
DEFAULT_NAMESPACE = "default"
MAX_WINDOW = 500
DEFAULT_LEASE_S, LEASE_PREDICTIONS = 24 * 3600.0, 10.0
LONGEST_LEASE_S = 100 * 365.25 * 24 * 3600.0


class Estimator(StrEnum):
    """How a task's time is learned.

    GP: a Gaussian process with Amdahl's law as its mean, fitted to the window. ONLINE: the method's
    original algorithm, p and k by exponential smoothing and a process on the additive residual.
    ORIGINAL: the same, every step as the study writes it; docs/original.md says where they part.
    """

    GP = "gp"
    ONLINE = "online"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class TaskModel:
    """What was learned of a task; it survives the rolling window.

    Attributes:
        law: The law as fitted last; None before the first fit.
        hyperparameters: The last fit to a window of two degrees or more, JSON-ready: the next warm
            start, and the prior once the window holds one degree only. Empty before.
        base_input_size: N_base, the first completed trial's known size; None: none known yet.
        sample_count: Trials that train, in all.
        last_updated: When this last changed.
        version: Counts the changes of the stored experiment, new trials included.
    """

    law: AmdahlLaw | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    base_input_size: float | None = None
    sample_count: int = 0
    last_updated: datetime | None = None
    version: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Learned:
    """What one fit adds to a `TaskModel`: the law, and the hyperparameters worth keeping."""

    law: AmdahlLaw
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A task whose degree of parallelism is chosen for each run.

    Attributes:
        name: The task's name, unique in its namespace.
        namespace: Teams that share a database each have their own.
        search_space: The allowed degrees.
        default_parallelism: The degree of the probe, and the advice where nothing is known.
        objective: What is minimised.
        window: How many of the newest completed trials train the model, 1 to 500; a decision's
            time grows with its cube, from tens of milliseconds at 50 to seconds at 500.
        baseline: Whether the first run takes the smallest allowed degree.
        residual: How the Gaussian process stands on the law.
        estimator: The Gaussian process with Amdahl's law as its mean, or the original algorithm.
        mean: Which law the Gaussian process stands on.
        alpha: For the original algorithm, weight of the old p and k in smoothing, in (0, 1].
        strategy: What chooses the degree, under which service levels and safety rails.
        worker_types: The types of workers to choose from; none: degrees alone are chosen.
        lease_s: How long a run may take before it counts as lost [s]; None: 24 hours, or ten times
            the predicted time where that is longer.
        model: What was learned so far.
        callers: By the caller's name the settings that it asked for last, as text; see `callers`.

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    name: str
    namespace: str = DEFAULT_NAMESPACE
    search_space: SearchSpace = DEFAULT_SPACE
    default_parallelism: int = DEFAULT_PARALLELISM
    objective: Objective = field(default_factory=Objective)
    window: int = DEFAULT_WINDOW
    baseline: bool = True
    residual: Residual = Residual.MULTIPLICATIVE
    estimator: Estimator = Estimator.GP
    mean: MeanFunction = DEFAULT_MEAN
    alpha: float = 0.3
    strategy: Strategy = field(default_factory=Strategy)
    lease_s: float | None = None
    worker_types: WorkerTypes = field(default_factory=WorkerTypes)
    model: TaskModel = field(default_factory=TaskModel)
    callers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        validation.identifier("a task's name", self.name)
        validation.identifier("a namespace", self.namespace)
        degree = validation.integer("default_parallelism", self.default_parallelism, 1)
        window = validation.integer("window", self.window, 1, MAX_WINDOW)
        object.__setattr__(self, "default_parallelism", degree)
        object.__setattr__(self, "window", window)
        if not isinstance(self.baseline, bool):
            raise InvalidValueError(
                f"baseline must be True or False, got {validation.short(self.baseline)}"
            )
        if not isinstance(self.objective, Objective):
            raise InvalidValueError(
                f"objective must be an Objective, got {validation.short(self.objective)}"
            )
        alpha = validation.fraction("alpha", self.alpha)
        if alpha == 0:
            raise InvalidValueError("alpha must lie in (0, 1], got 0")
        object.__setattr__(self, "alpha", alpha)
        if self.lease_s is not None:
            object.__setattr__(self, "lease_s", validation.positive("lease_s", self.lease_s))
        object.__setattr__(self, "residual", validation.member("residual", self.residual, Residual))
        estimator = validation.member("estimator", self.estimator, Estimator)
        object.__setattr__(self, "estimator", estimator)
        mean = validation.member("mean", self.mean, MeanFunction)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "worker_types", WorkerTypes.of(self.worker_types))
        self._check_strategy()
        require_one_price(self.worker_types, self.objective, self.strategy.budget)

    def _check_strategy(self) -> None:
        strategy = self.strategy
        if not isinstance(strategy, Strategy):
            raise InvalidValueError(
                f"strategy must be a Strategy, got {validation.short(strategy)}"
            )
        plain = strategy.acquisition in (AUTO, DEFAULT_ACQUISITION, "expected_cost")
        if self.estimator is not Estimator.GP and not (
            plain and not strategy.slo and strategy.guard is None
        ):
            raise InvalidValueError(
                f"the original algorithm (estimator {self.estimator.value!r}) takes the lowest "
                "expected cost alone: "
                "no other acquisition, service level or guard; estimator 'gp' takes them all"
            )
        if self.worker_types and self.estimator is not Estimator.GP:
            raise InvalidValueError(
                f"the original algorithm (estimator {self.estimator.value!r}) knows no worker "
                "types; estimator 'gp' does"
            )
        if strategy.like == self.name:
            raise InvalidValueError(f"task {self.name!r} cannot be like itself")

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Every allowed degree; with worker types every pair of both, by type and degree."""
        return allowed_arms(self.search_space, self.worker_types)

    @property
    def allowed(self) -> SearchSpace:
        """The degrees that some worker type allows; without types the search space."""
        if not self.worker_types:
            return self.search_space
        return SearchSpace(tuple(arm.parallelism for arm in self.arms))

    @property
    def cost_objective(self) -> Objective:
        """What is minimised, the rate of a worker being its price where types have prices."""
        if not self.worker_types.are_priced:
            return self.objective
        return Objective(self.objective.urgency, price_per_worker_hour=1.0)

    @property
    def minimised(self) -> str:
        """The score as a formula."""
        if not self.worker_types:
            return str(self.objective)
        time, cost = str(self.objective).split(" x ", 1)
        if self.worker_types.are_priced:
            return f"{time} x s x price"
        return f"{time} x {cost.replace('s', '(s x CPUs)')}"

    def up_to(self, most: int) -> "Experiment":
        """The experiment with the arms of no more than so many workers.

        Raises:
            InvalidValueError: There is none.
        """
        space = self.search_space
        if not self.worker_types:
            return replace(self, search_space=space.up_to(most))
        self.allowed.up_to(most)
        types = self.worker_types.up_to(most, space)
        space = space.up_to(most) if space.smallest <= most else space
        return replace(self, worker_types=types, search_space=space)

    def _of_workers(self, arm: Arm, what: str) -> float:
        one = self.worker_types.get(arm.worker_type or "")
        return arm.parallelism * (1.0 if one is None else float(getattr(one, what)))

    def capacity_of(self, arm: Arm) -> float:
        """What a law divides its work by: the CPUs of all workers; s where there are no types."""
        return self._of_workers(arm, "cpus")

    def paid_for(self, arm: Arm) -> float:
        """What its cost is a power of: s times a worker's price an hour.

        Without prices each worker counts as its CPUs, and s alone without types.
        """
        return self._of_workers(arm, "rate")

    def memory_of(self, arm: Arm) -> float:
        """The memory of all workers [GB]; s where there are no types."""
        return self._of_workers(arm, "memory_gb")

    def worker_of(self, arm: Arm) -> tuple[str, WorkerType] | None:
        """The worker type of an arm, with its name; None: it has none, or it was removed."""
        one = self.worker_types.get(arm.worker_type or "")
        return None if one is None or arm.worker_type is None else (arm.worker_type, one)

    def nearest_arm(self, parallelism: float) -> Arm:
        """The arm of the nearest degree; of several the first worker type's that has it."""
        if not self.worker_types:
            return Arm(self.search_space.nearest(parallelism))
        return min(self.arms, key=lambda arm: abs(arm.parallelism - parallelism))

    def require_arm(self, parallelism: Any, worker_type: str | None = None) -> Arm:
        """The arm of a degree and a worker type, if it is allowed.

        Raises:
            DegreeNotAllowedError: The degree is not, for this type.
            UnknownWorkerTypeError: There is no such type, or none is given where there are some.
        """
        if worker_type is None and not self.worker_types:
            return Arm(self.search_space.require(parallelism))
        space = self.worker_types.require(worker_type).parallelism or self.search_space
        return Arm(space.require(parallelism), worker_type)

    def knows(self, trial: Trial) -> bool:
        """Whether a trial ran on one of the worker types that the task has now.

        One of a type that was removed stays stored, and trains again once the type is back.
        """
        name = trial.arm.worker_type
        return name in self.worker_types if self.worker_types else name is None

    @property
    def probe_arm(self) -> Arm:
        """The arm nearest to the default degree."""
        return self.nearest_arm(self.default_parallelism)

    @property
    def probe_parallelism(self) -> int:
        """The allowed degree nearest to the default."""
        return self.probe_arm.parallelism

    @property
    def fixed_arm(self) -> Arm | None:
        """The arm of every run under a pin or in a dry run; None: the optimizer chooses."""
        if self.strategy.pin is not None:
            return self.nearest_arm(self.strategy.pin)
        return self.probe_arm if self.strategy.dry_run else None

    @property
    def fixed_parallelism(self) -> int | None:
        """The degree of `fixed_arm`."""
        return None if (arm := self.fixed_arm) is None else arm.parallelism

    def lease_of(self, predicted_time_s: float | None) -> timedelta:
        """How long a run with this prediction may take before it counts as lost."""
        usual_s = max(DEFAULT_LEASE_S, LEASE_PREDICTIONS * (predicted_time_s or 0.0))
        return timedelta(seconds=min(self.lease_s or usual_s, LONGEST_LEASE_S))

    def changed(self, settings: Mapping[str, Any]) -> "Experiment":
        """The experiment with other settings; `UNSET` leaves one as it is, None is its default.

        Args:
            settings: Fields of the experiment and of its `Strategy`, by name.

        Raises:
            InvalidValueError: A value is outside its domain.
            DegreeNotAllowedError: The default or the pin is given, and is not an allowed degree.
        """
        of_strategy = {name: settings[name] for name in Strategy.__slots__ if name in settings}
        given = resolved({k: v for k, v in settings.items() if k not in of_strategy}, Experiment)
        whole = given.pop("strategy", self.strategy)
        changed = replace(self, **given, strategy=whole.changed(of_strategy))
        pin_is_given = any(settings.get(n, UNSET) is not UNSET for n in ("pin", "strategy"))
        allowed = changed.allowed
        if pin_is_given and changed.strategy.pin is not None:
            allowed.require(changed.strategy.pin)
        if settings.get("default_parallelism") not in (None, UNSET):
            allowed.require(changed.default_parallelism)
        if settings.get("search_space") not in (None, UNSET):
            require_allowed(changed.search_space, allowed)
        return changed
