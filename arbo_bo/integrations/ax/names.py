"""What things are called in Ax, unless the user says otherwise."""

from dataclasses import dataclass

SCORE = "score"
COST = "cost"
RECORD = "arbo_bo"
"""The key of a trial's own record in its run metadata, and of the task's in the properties."""


@dataclass(frozen=True)
class AxNames:
    """Names of parameters and metrics in an Ax experiment.

    Attributes:
        parallelism: The parameter that arbo chooses.
        input_size: The context parameter with the size of a run's input, or its scaling gamma.
        cluster_load: The context parameter with the workers that other runs keep busy.
        execution_time: The metric with the wall time of a run [s].
    """

    parallelism: str = "parallelism"
    input_size: str = "input_size"
    cluster_load: str = "cluster_load"
    execution_time: str = "execution_time_s"


DEFAULT_NAMES = AxNames()
