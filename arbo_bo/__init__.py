"""arbo_bo chooses the degree of parallelism for each run of a recurring job.

Importing the package loads the standard library alone; the public names resolve on first use.
"""

from typing import TYPE_CHECKING

from arbo_bo._lazy import resolver

if TYPE_CHECKING:
    from arbo_bo.errors import ArboError
    from arbo_bo.experiment import (
        UNSET,
        AmdahlLaw,
        Decision,
        Experiment,
        MaxCost,
        MaxExecutionTime,
        Objective,
        Prediction,
        SearchSpace,
        Strategy,
        Trial,
        TrialStatus,
        WorkerType,
    )
    from arbo_bo.service.optimizer import ArboOptimizer

__version__ = "0.1.0"

_HOMES = {
    "AmdahlLaw": "arbo_bo.experiment",
    "ArboError": "arbo_bo.errors",
    "ArboOptimizer": "arbo_bo.service.optimizer",
    "Decision": "arbo_bo.experiment",
    "Experiment": "arbo_bo.experiment",
    "MaxCost": "arbo_bo.experiment",
    "MaxExecutionTime": "arbo_bo.experiment",
    "Objective": "arbo_bo.experiment",
    "Prediction": "arbo_bo.experiment",
    "SearchSpace": "arbo_bo.experiment",
    "Strategy": "arbo_bo.experiment",
    "Trial": "arbo_bo.experiment",
    "TrialStatus": "arbo_bo.experiment",
    "UNSET": "arbo_bo.experiment",
    "WorkerType": "arbo_bo.experiment",
}

__all__ = [  # noqa: RUF022  what a user meets first comes first
    "ArboOptimizer",
    "AmdahlLaw",
    "ArboError",
    "Decision",
    "Experiment",
    "MaxCost",
    "MaxExecutionTime",
    "Objective",
    "Prediction",
    "SearchSpace",
    "Strategy",
    "Trial",
    "TrialStatus",
    "UNSET",
    "WorkerType",
    "__version__",
]

__getattr__ = resolver(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
