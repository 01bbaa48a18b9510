"""The machines that an experiment may choose from: what each has, costs and allows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from arbo_bo.errors import DegreeNotAllowedError, InvalidValueError, UnknownWorkerTypeError
from arbo_bo.experiment import validation
from arbo_bo.experiment.arm import Arm
from arbo_bo.experiment.objective import Objective
from arbo_bo.experiment.slo import MaxCost
from arbo_bo.experiment.space import SearchSpace

MAX_WORKER_TYPES = 100


@dataclass(frozen=True, slots=True)
class WorkerType:
    """A kind of worker: a machine, a pod or a function of some size.

    Attributes:
        cpus: Of one worker, above 0; half a CPU is one too.
        memory_gb: Of one worker [GB], above 0.
        price_per_hour: Money per worker and hour, above 0; None: not known. Where it costs nothing,
            leave it out: a run for free would be the best one however long it takes.
        startup_s: How long a worker of this type takes to be ready [s], 0 or more; None: unknown.
        parallelism: The degrees that this type allows: a `SearchSpace`, a tuple ``(low, high)`` or
            a list; None: those of the task.

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    cpus: float
    memory_gb: float
    price_per_hour: float | None = None
    startup_s: float | None = None
    parallelism: SearchSpace | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "cpus", validation.positive("cpus", self.cpus))
        put(self, "memory_gb", validation.positive("memory_gb", self.memory_gb))
        if self.price_per_hour is not None:
            put(self, "price_per_hour", _price(self.price_per_hour))
        if self.startup_s is not None:
            put(self, "startup_s", validation.non_negative("startup_s", self.startup_s))
        if self.parallelism is not None:
            put(self, "parallelism", SearchSpace.of(self.parallelism))

    @property
    def rate(self) -> float:
        """What a worker costs beside those of other types: its price an hour, else its CPUs."""
        return self.cpus if self.price_per_hour is None else self.price_per_hour

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON's own types; what is not known is left out."""
        values = {name: getattr(self, name) for name in self.__slots__}
        if self.parallelism is not None:
            values["parallelism"] = list(self.parallelism.degrees)
        return {name: value for name, value in values.items() if value is not None}

    def __str__(self) -> str:
        text = f"{self.cpus:g} CPU{'' if self.cpus == 1 else 's'}, {self.memory_gb:g} GB"
        if self.price_per_hour is not None:
            text += f", {self.price_per_hour:g} an hour"
        return text if self.parallelism is None else f"{text}, {self.parallelism} workers"


class WorkerTypes(Mapping[str, WorkerType]):
    """The worker types of a task by name, in the order in which they were given; immutable.

    The first that allows a degree is where a run goes that nobody chose a type for.
    """

    __slots__ = ("_types",)

    def __init__(self, given: Iterable[tuple[str, WorkerType]] = ()) -> None:
        """Checks types that belong together.

        Raises:
            InvalidValueError: Two have one name, some have a price and some none, or there are more
                than 100.
        """
        types: dict[str, WorkerType] = {}
        for name, one in given:
            validation.identifier("a worker type's name", name)
            if name in types:
                raise InvalidValueError(f"two worker types have the name {name!r}; give each one")
            if not isinstance(one, WorkerType):
                raise InvalidValueError(
                    f"worker type {name!r} must be a WorkerType(cpus=, memory_gb=), "
                    f"got {validation.short(one)}"
                )
            types[name] = one
        if len(types) > MAX_WORKER_TYPES:
            raise InvalidValueError(
                f"a task may have at most {MAX_WORKER_TYPES} worker types, got {len(types)}"
            )
        unpriced = [name for name, one in types.items() if one.price_per_hour is None]
        if unpriced and len(unpriced) < len(types):
            raise InvalidValueError(
                "give every worker type a price_per_hour, or none: there is none for "
                f"{', '.join(map(repr, unpriced))}"
            )
        self._types = types

    @classmethod
    def of(cls, given: Any) -> "WorkerTypes":
        """Reads what a user gives: a mapping from names to types, or pairs of both.

        Raises:
            InvalidValueError: It is neither, or the types do not go together.
        """
        if isinstance(given, WorkerTypes):
            return given
        pairs = given.items() if isinstance(given, Mapping) else given
        if isinstance(pairs, str) or not isinstance(pairs, Iterable):
            raise InvalidValueError(
                "worker_types must map names to WorkerType values, such as "
                f"{{'large': WorkerType(cpus=4, memory_gb=16)}}, got {validation.short(given)}"
            )
        found = []
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InvalidValueError(
                    f"a worker type is a pair of name and WorkerType, got {validation.short(pair)}"
                )
            found.append((pair[0], pair[1]))
        return cls(found)

    @classmethod
    def from_json(cls, stored: Iterable[tuple[str, Mapping[str, Any]]]) -> "WorkerTypes":
        """Reads what `to_json` wrote.

        Raises:
            InvalidValueError: A value is outside its domain.
            TypeError: A value is missing, or not known here.
        """
        return cls((name, WorkerType(**values)) for name, values in stored)

    def to_json(self) -> list[list[Any]]:
        """Pairs of a name and a dict, of JSON's own types: their order counts."""
        return [[name, one.to_json()] for name, one in self.items()]

    def up_to(self, most: int, space: SearchSpace) -> "WorkerTypes":
        """The types with no more than so many workers; those that allow none are left out.

        Args:
            most: How many.
            space: The degrees of a type without its own.
        """
        found = []
        for name, one in self.items():
            if (one.parallelism or space).smallest <= most:
                own = one.parallelism
                found.append((name, replace(one, parallelism=own and own.up_to(most))))
        return WorkerTypes(found)

    @property
    def are_priced(self) -> bool:
        """Whether prices are known, and so the money of a run."""
        return any(one.price_per_hour is not None for one in self.values())

    def require(self, name: Any) -> WorkerType:
        """The type of that name.

        Raises:
            UnknownWorkerTypeError: There is none; the message lists what there is.
        """
        if not isinstance(name, str) or name not in self._types:
            raise UnknownWorkerTypeError(
                f"there is no worker type {validation.short(name)} here; "
                + (f"there are {', '.join(self)}" if self else "the task has none")
            )
        return self._types[name]

    def __getitem__(self, name: str) -> WorkerType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorkerTypes):
            return NotImplemented
        return tuple(self.items()) == tuple(other.items())

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def __repr__(self) -> str:
        return f"WorkerTypes({list(self.items())!r})"

    def __str__(self) -> str:
        return "; ".join(f"{name}: {one}" for name, one in self.items())


def require_allowed(space: SearchSpace, allowed: SearchSpace) -> None:
    """Refuses degrees that no worker type allows.

    Raises:
        DegreeNotAllowedError: There is one.
    """
    if left := sorted(set(space.degrees) - set(allowed.degrees)):
        raise DegreeNotAllowedError(
            f"no worker type allows {left[0]} of the degrees {space}; they allow: {allowed}"
        )


def require_one_price(types: WorkerTypes, objective: Objective, budget: MaxCost | None) -> None:
    """Refuses money of two sources: it is the worker types', or the objective's and the budget's.

    Raises:
        InvalidValueError: There are both, or there is none where a budget needs one.
    """
    own = None if budget is None else budget.price_per_worker_hour
    if types and (own is not None or objective.price_per_worker_hour is not None):
        raise InvalidValueError(
            "with worker types each has a price_per_hour of its own: give no "
            "price_per_worker_hour beside them, to the objective or to the budget"
        )
    if budget is not None and own is None and not types.are_priced:
        raise InvalidValueError(
            "a MaxCost needs a price_per_worker_hour, or worker types with a price_per_hour"
        )


@lru_cache(maxsize=64)  # the same at every decision of a task
def allowed_arms(space: SearchSpace, types: WorkerTypes) -> tuple[Arm, ...]:
    """Every pair of worker type and degree that may run, by type and degree.

    Args:
        space: The degrees of types without their own, and of a task without types.
        types: The task's worker types.
    """
    if not types:
        return tuple(map(Arm, space.degrees))
    return tuple(
        Arm(degree, name)
        for name, one in types.items()
        for degree in (one.parallelism or space).degrees
    )


def _price(value: Any) -> float:
    if validation.real("price_per_hour", value) == 0:
        raise InvalidValueError(
            "price_per_hour must be greater than 0, got 0; leave it out where nothing is paid, "
            "for every worker type of the task"
        )
    return validation.positive("price_per_hour", value)
