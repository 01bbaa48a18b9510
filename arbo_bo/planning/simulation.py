"""Runs of a workflow that nobody ran: laws with noise, cold starts and stragglers.

For judging planners only; what plans is never asked from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from arbo_bo.errors import WorkflowError
from arbo_bo.planning.network import Arrangement, Load, Network
from arbo_bo.planning.workflow import Workflow

Law = Callable[[int, float], float]
"""A stage's time [s] at a degree, with the parts that its parents made."""


@dataclass(frozen=True)
class Simulation:
    """How a workflow really behaves.

    Attributes:
        workflow: Its stages, and how many workers there are.
        laws: By stage.
        noise: Standard deviation of log time, a stage's own.
        day: The same, shared by all stages of a run.
        cold_s: What a stage with cold workers takes longer [s].
        cold_share: How often its workers are cold.
        straggling: How often a stage is a straggler.
        straggler: By which factor it is slower then.
    """

    workflow: Workflow
    laws: Mapping[str, Law]
    noise: float = 0.05
    day: float = 0.0
    cold_s: float = 0.0
    cold_share: float = 0.0
    straggling: float = 0.0
    straggler: float = 3.0

    def run(self, degrees: Mapping[str, int], rng: np.random.Generator) -> "SimulatedRun":
        """One run at these degrees.

        Raises:
            WorkflowError: A stage has no degree, or no law.
        """
        stages = self.workflow.ordered()
        missing = [s.name for s in stages if s.name not in degrees or s.name not in self.laws]
        if missing:
            raise WorkflowError(f"stage {missing[0]!r} needs a degree and a law to be simulated")
        place = {s.name: i for i, s in enumerate(stages)}
        day = self.day * rng.standard_normal()
        times = {}
        for stage in stages:
            parts = float(sum(degrees[p] for p in stage.after))
            time = self.laws[stage.name](degrees[stage.name], parts)
            time *= float(np.exp(day + self.noise * rng.standard_normal()))
            if rng.random() < self.straggling:
                time *= self.straggler
            times[stage.name] = time + self.cold_s * float(rng.random() < self.cold_share)
        parents = [tuple(place[p] for p in s.after) for s in stages]
        network = Network(
            parents, [[0.0] * len(p) for p in parents], np.inf, self.workflow.capacity
        )
        timing = network.timing(
            [_load(times[s.name], degrees[s.name]) for s in stages], Arrangement()
        )
        return SimulatedRun(dict(degrees), times, float(timing.makespan[0, 0]))


@dataclass(frozen=True)
class SimulatedRun:
    """What came of it.

    Attributes:
        degrees: By stage.
        times_s: By stage.
        makespan_s: From the first start to the last end.
    """

    degrees: Mapping[str, int]
    times_s: Mapping[str, float]
    makespan_s: float

    @property
    def worker_seconds(self) -> float:
        """The cost without prices."""
        return sum(self.degrees[name] * time for name, time in self.times_s.items())

    def rows(self) -> dict[str, dict[str, float]]:
        """What `ArboOptimizer.attach_workflow_run` takes."""
        return {
            name: {"parallelism": self.degrees[name], "execution_time_s": time}
            for name, time in self.times_s.items()
        }


def _load(time: float, workers: int) -> Load:
    column = np.zeros((1, 1))
    return Load(column + time, column, column + workers, column)
