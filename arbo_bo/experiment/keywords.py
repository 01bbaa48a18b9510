"""The keyword arguments that configure a task, and what leaving one out or giving None means."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypedDict, TypeVar

from arbo_bo.experiment.space import SearchSpace

if TYPE_CHECKING:
    from arbo_bo.experiment.experiment import Estimator
    from arbo_bo.experiment.law import MeanFunction
    from arbo_bo.experiment.objective import Objective
    from arbo_bo.experiment.prediction import Residual
    from arbo_bo.experiment.slo import SLO
    from arbo_bo.experiment.strategy import SearchRule, Strategy
    from arbo_bo.experiment.worker_type import WorkerType


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Stands for a setting that is not given: it stays as it is stored, or starts at its default."""

T = TypeVar("T")
Given: TypeAlias = T | Unset | None
"""A value, or None: back to the default, or `UNSET`: as it is."""


class Settings(TypedDict, total=False):
    """Keyword arguments of `ArboOptimizer.configure_experiment`.

    One that is left out, or `UNSET`, stays as it is stored; None puts it back to its default, so
    that ``pin=None`` removes a pin. docs/settings.md has them beside the command line's options.

    Attributes:
        parallelism: Allowed degrees: a tuple ``(1, 32)`` is an inclusive range, a list such as
            ``[1, 2, 4]`` just these.
        worker_types: The types of workers to choose from by name, each a `WorkerType`.
        default_parallelism: Degree of the probe, and the advice where nothing is known.
        objective: What is minimised.
        window: How many of the newest completed trials train the model.
        baseline: Whether the first run takes the smallest allowed degree.
        residual: "multiplicative" or "additive".
        estimator: "gp", or "online": the method's original algorithm, or "original": the same
            with every step as the study writes it.
        mean: The law that the Gaussian process stands on: "amdahl", "usl" (slower again past its
            best degree), "ernest", or "auto": Amdahl's law, a cliff at few workers and others,
            weighed by the window.
        alpha: For "online" and "original", weight of the old value in smoothing, in (0, 1].
        lease_s: How long a run may take before it counts as lost [s].
        strategy: How degrees are chosen, as a whole; the settings below change parts of it.
        acquisition: What chooses, by its name; or "auto".
        slo: A `MaxExecutionTime`, a `MaxCost`, or both in a list: whatever chooses, it chooses
            among the degrees that keep them.
        search: Which allowed degrees are looked at, around the law's own optimum.
        eta: For "efficiency", the fraction of the largest speed-up, in (0, 1).
        pin: Every run takes this degree, arbo only observes.
        dry_run: Every run takes the default degree; what would have been chosen is recorded.
        guard: The default degree is left only for one whose score is not worse with at least this
            probability.
        like: A task whose law stands in until this one's own runs tell theirs.
    """

    parallelism: Given[SearchSpace | tuple[int, int] | Sequence[int]]
    worker_types: "Given[Mapping[str, WorkerType] | Sequence[tuple[str, WorkerType]]]"
    default_parallelism: Given[int]
    objective: "Given[Objective]"
    window: Given[int]
    baseline: Given[bool]
    residual: "Given[Residual | str]"
    estimator: "Given[Estimator | str]"
    mean: "Given[MeanFunction | str]"
    alpha: Given[float]
    lease_s: Given[float]
    strategy: "Given[Strategy]"
    acquisition: Given[str]
    slo: "Given[SLO | Sequence[SLO]]"
    search: "Given[SearchRule | str]"
    eta: Given[float]
    pin: Given[int]
    dry_run: Given[bool]
    guard: Given[float]
    like: Given[str]


def as_fields(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `ArboOptimizer.configure_experiment` as fields of an `Experiment`.

    Raises:
        TypeError: There is no setting of that name.
        InvalidValueError: The degrees are none.
    """
    if unknown := sorted(set(settings) - set(KEYWORDS)):
        raise TypeError(f"no settings {', '.join(unknown)}; there are {', '.join(KEYWORDS)}")
    given = dict(settings)
    degrees = given.pop("parallelism", UNSET)
    if degrees is not UNSET:
        given["search_space"] = None if degrees is None else SearchSpace.of(degrees)
    return given


def resolved(settings: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Leaves out what is `UNSET`, and puts a field's default where None is given.

    Args:
        settings: By name.
        kind: A dataclass whose fields they are.
    """
    given = {name: value for name, value in settings.items() if value is not UNSET}
    for found in fields(kind):
        if given.get(found.name, UNSET) is None:
            given[found.name] = (
                found.default if found.default_factory is MISSING else found.default_factory()
            )
    return given


KEYWORDS = tuple(Settings.__annotations__)
"""The keyword arguments of `ArboOptimizer.configure_experiment`, in their order."""
