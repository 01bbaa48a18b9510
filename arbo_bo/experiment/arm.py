"""What a run is started with: the arm that is chosen, the context that is observed."""

from dataclasses import dataclass

from arbo_bo._format import count
from arbo_bo.experiment import validation

SMALLEST_GAMMA = 1e-12


@dataclass(frozen=True, slots=True)
class Arm:
    """What is chosen: a degree of parallelism, at least 1, on one of the task's worker types.

    Attributes:
        parallelism: The degree.
        worker_type: The type's name; None: the task has none.
    """

    parallelism: int
    worker_type: str | None = None

    def __post_init__(self) -> None:
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)
        if self.worker_type is not None:
            validation.identifier("a worker type's name", self.worker_type)

    def __str__(self) -> str:
        workers = count(self.parallelism)
        return workers if self.worker_type is None else f"{workers} of {self.worker_type}"


def short_name(arm: Arm) -> str:
    """An arm as one word of a sentence: 4, or 4 of m5.xlarge."""
    return f"{arm.parallelism}" + ("" if arm.worker_type is None else f" of {arm.worker_type}")


@dataclass(frozen=True, slots=True)
class Context:
    """What is observed and not chosen.

    Attributes:
        input_size: Size of the run's input in the task's own unit, above 0; None: unknown.
        cluster_load: Workers of all other running trials at the decision, 0 or more; None: unknown.
    """

    input_size: float | None = None
    cluster_load: float | None = None

    def __post_init__(self) -> None:
        if self.input_size is not None:
            size = validation.positive("input_size", self.input_size)
            object.__setattr__(self, "input_size", size)
        if self.cluster_load is not None:
            load = validation.non_negative("cluster_load", self.cluster_load)
            object.__setattr__(self, "cluster_load", load)

    def gamma(self, base_input_size: float | None) -> float:
        """Input scaling N / N_base, kept within 1e-12 to 1e12; 1 while either is unknown."""
        if self.input_size is None or base_input_size is None:
            return 1.0
        return min(max(self.input_size / base_input_size, SMALLEST_GAMMA), 1 / SMALLEST_GAMMA)
