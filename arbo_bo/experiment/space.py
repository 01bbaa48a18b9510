"""The degrees of parallelism that an experiment may choose from."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arbo_bo.errors import DegreeNotAllowedError, InvalidValueError
from arbo_bo.experiment import validation

MAX_DEGREES = 10_000


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Allowed degrees of parallelism, sorted and distinct.

    Attributes:
        degrees: Every allowed degree, at least 1 each; at most 10 000 of them.
    """

    degrees: tuple[int, ...]

    def __post_init__(self) -> None:
        found = {validation.integer("an allowed degree", s, 1) for s in self.degrees}
        if not 1 <= len(found) <= MAX_DEGREES:
            raise InvalidValueError(
                f"a search space needs 1 to {MAX_DEGREES} allowed degrees, got {len(found)}"
            )
        object.__setattr__(self, "degrees", tuple(sorted(found)))

    @classmethod
    def between(cls, smallest: int, largest: int) -> "SearchSpace":
        """Every degree from `smallest` to `largest`, both included."""
        low = validation.integer("the smallest degree", smallest, 1)
        high = validation.integer("the largest degree", largest, 1)
        if low > high:
            raise InvalidValueError(f"a range of degrees must rise, got {low} to {high}")
        if high - low >= MAX_DEGREES:
            raise InvalidValueError(
                f"a range may hold at most {MAX_DEGREES} degrees, got {low} to {high}; "
                "give a list of the degrees that matter instead"
            )
        return _range(low, high)

    @classmethod
    def of(cls, parallelism: Any) -> "SearchSpace":
        """Reads what a user gives: a tuple ``(low, high)`` is a range, another iterable a list.

        Raises:
            InvalidValueError: It is neither, or holds something else than whole numbers from 1 up.
        """
        if isinstance(parallelism, SearchSpace):
            return parallelism
        if isinstance(parallelism, tuple) and len(parallelism) == 2:
            return cls.between(*parallelism)
        if isinstance(parallelism, str) or not isinstance(parallelism, Iterable):
            raise InvalidValueError(
                "parallelism must be a range (smallest, largest) or a list of degrees, "
                f"got {validation.short(parallelism)}"
            )
        return cls(tuple(parallelism))

    @property
    def smallest(self) -> int:
        """The smallest allowed degree: the baseline."""
        return self.degrees[0]

    @property
    def largest(self) -> int:
        """The largest allowed degree."""
        return self.degrees[-1]

    def __contains__(self, parallelism: object) -> bool:
        return parallelism in self.degrees

    def __len__(self) -> int:
        return len(self.degrees)

    def __str__(self) -> str:
        low, high = self.smallest, self.largest
        if len(self) == high - low + 1 and len(self) > 2:
            return f"{low} to {high}"
        return ", ".join(map(str, self.degrees))

    def require(self, parallelism: Any) -> int:
        """Returns the degree if it is allowed.

        Raises:
            DegreeNotAllowedError: It is not; the message lists what is.
        """
        degree = validation.integer("parallelism", parallelism, 1)
        if degree not in self:
            raise DegreeNotAllowedError(
                f"parallelism {degree} is not allowed here; allowed: {self}"
            )
        return degree

    def subset(self, parallelism: Any) -> tuple[int, ...]:
        """The given degree or degrees, as given, if each is allowed.

        Raises:
            DegreeNotAllowedError: One is not.
            InvalidValueError: There is none, or one is no whole number.
        """
        one = isinstance(parallelism, str) or not isinstance(parallelism, Iterable)
        degrees = tuple(map(self.require, [parallelism] if one else parallelism))
        if not degrees:
            raise InvalidValueError(f"give one degree or more; allowed: {self}")
        return degrees

    def up_to(self, most: Any) -> "SearchSpace":
        """The allowed degrees that are not above `most`.

        Raises:
            InvalidValueError: There is none.
        """
        limit = validation.integer("max_parallelism", most, 1)
        degrees = tuple(s for s in self.degrees if s <= limit)
        if not degrees:
            raise InvalidValueError(
                f"max_parallelism must be at least the smallest allowed degree, {self.smallest}, "
                f"got {limit}; allowed: {self}"
            )
        return SearchSpace(degrees)

    def nearest(self, parallelism: float) -> int:
        """The allowed degree nearest to `parallelism`; of two equally near, the smaller."""
        return min(self.degrees, key=lambda s: (abs(s - parallelism), s))


@lru_cache(maxsize=64)  # thousands of tasks share a few ranges
def _range(low: int, high: int) -> SearchSpace:
    return SearchSpace(tuple(range(low, high + 1)))
