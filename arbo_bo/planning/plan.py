"""The answer: a frozen plan, with the distributions of what it leads to."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from arbo_bo._format import count, format_probability, format_time
from arbo_bo.errors import WorkflowError
from arbo_bo.planning.distributions import CostDistribution, TimeDistribution
from arbo_bo.planning.goals import Target

if TYPE_CHECKING:
    from arbo_bo.planning.forecast import Forecast


@dataclass(frozen=True)
class StagePlan:
    """One stage of a plan.

    Attributes:
        name: The stage.
        experiment: Its task.
        parallelism: The degree.
        worker_type: The name of its workers' type; None: there is one kind.
        worker: The stage whose workers it goes on with; None: workers of its own.
        start_s: When it is expected to begin, from the workflow's start [s].
        duration: Of its work, with the start-up that it waits for.
        criticality: How often it is on the longest path, 0 to 1.
        slack_s: How much longer it could take, on average, before the workflow does [s].
        cost: Expected.
        input_size: What it was predicted at; None: unknown.
        annotations: What workers and data do for it, such as "chance/pre-warm".
    """

    name: str
    experiment: str
    parallelism: int
    worker_type: str | None
    worker: str | None
    start_s: float
    duration: TimeDistribution
    criticality: float
    slack_s: float
    cost: float
    input_size: float | None = None
    annotations: tuple[str, ...] = ()

    @property
    def band_s(self) -> tuple[float, float]:
        """The 90 % band of its duration [s]."""
        return self.duration.quantile_s(0.05), self.duration.quantile_s(0.95)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        low, high = self.band_s
        return {
            "stage": self.name,
            "experiment": self.experiment,
            "parallelism": self.parallelism,
            "worker_type": self.worker_type,
            "worker": self.worker,
            "start_s": self.start_s,
            "duration_mean_s": self.duration.mean_s,
            "duration_05_s": low,
            "duration_95_s": high,
            "criticality": self.criticality,
            "slack_s": self.slack_s,
            "cost": self.cost,
            "input_size": self.input_size,
            "annotations": list(self.annotations),
        }


@dataclass(frozen=True)
class Neighbour:
    """A plan that differs in one stage.

    Attributes:
        stage: Which.
        parallelism: Its degree there.
        worker_type: The name of its workers' type there; None: there is one kind.
        makespan_s: The quantile of its makespan that the goal is about [s].
        cost: Expected.
        probability: How likely it keeps all limits.
    """

    stage: str
    parallelism: int
    worker_type: str | None
    makespan_s: float
    cost: float
    probability: float

    def __str__(self) -> str:
        kind = "" if self.worker_type is None else f" of {self.worker_type}"
        return (
            f"{self.stage} with {count(self.parallelism)}{kind}: {format_time(self.makespan_s)}, "
            f"{self.cost:.4g}, kept with probability {format_probability(self.probability)}"
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Made:
    """What a plan was made from, so that it can be made anew.

    Attributes:
        forecast: What any choice leads to.
        planner: Who chose.
        optimizations: Names of those that were looked at.
    """

    forecast: "Forecast"
    planner: str
    optimizations: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Plan(Mapping[str, StagePlan]):
    """Degree, worker type, workers and start of every stage, and what that leads to.

    Attributes:
        workflow: The workflow's name.
        planner: Who chose.
        target: The goal.
        stages: Parents first.
        makespan: From the workflow's start to its end.
        cost: Of all stages.
        feasible: Whether every limit is kept with the probability asked for.
        probability: How likely all limits are kept together; 1 where there is none.
        nearest_deadline_s: Where the goal cannot be kept, the least deadline that could [s].
        why: One sentence.
        cheaper: The next cheaper plan that differs in one stage; None: there is none, or it was not
            looked for, in a large workflow.
        faster: The next faster one.
        made: What it was made from.
    """

    workflow: str
    planner: str
    target: Target
    stages: tuple[StagePlan, ...]
    makespan: TimeDistribution
    cost: CostDistribution
    feasible: bool
    probability: float
    nearest_deadline_s: float | None
    why: str
    cheaper: Neighbour | None = None
    faster: Neighbour | None = None
    made: Made | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> StagePlan:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise WorkflowError(f"the plan of workflow {self.workflow!r} has no stage {name!r}")

    def __contains__(self, name: object) -> bool:
        return any(stage.name == name for stage in self.stages)

    def __iter__(self) -> Iterator[str]:
        return (stage.name for stage in self.stages)

    def __len__(self) -> int:
        return len(self.stages)

    @property
    def critical_path(self) -> tuple[str, ...]:
        """The stages that are on the longest path in half of the cases or more."""
        return tuple(s.name for s in self.stages if s.criticality >= 0.5)

    def __str__(self) -> str:
        low, high = self.makespan.quantile_s(0.05), self.makespan.quantile_s(0.95)
        text = (
            f"{self.workflow}: {format_time(self.makespan.mean_s)} "
            f"({format_time(low)} to {format_time(high)}), {format_cost(self.cost)}, "
            f"{self.target}"
        )
        if not self.target.has_limit:
            return text
        text += ": "
        if self.feasible:
            return f"{text}kept with probability {format_probability(self.probability)}"
        text += f"not kept, at best with probability {format_probability(self.probability)}"
        if self.nearest_deadline_s is not None:
            text += f"; the nearest deadline is {format_time(self.nearest_deadline_s)}"
        return text

    def replan(
        self,
        elapsed_s: float,
        finished: Mapping[str, float] | None = None,
        running: Mapping[str, float] | None = None,
    ) -> "Plan":
        """The plan of the rest of a run that is under way; only what has not begun may change.

        What the finished stages took tells of the run's day, and of their tasks. The log warns
        where the goal is not likely to be kept any more.

        Args:
            elapsed_s: How long ago the workflow's run began [s].
            finished: When each finished stage ended, from the run's start [s].
            running: When each running stage began [s].

        Raises:
            WorkflowError: The workflow has no such stage, or a stage begins before its parents end.
            InvalidValueError: A moment is not within the run.
        """
        from arbo_bo.planning.replan import replanned

        return replanned(self, elapsed_s, finished or {}, running or {})

    def explain(self) -> str:
        """The critical path, and each stage's degree, start, band, slack and criticality."""
        lines = [str(self), f"{self.planner}: {self.why}"]
        if self.critical_path:
            lines.append(f"critical path: {' -> '.join(self.critical_path)}")
        for s in self.stages:
            low, high = s.band_s
            kind = "" if s.worker_type is None else f" of {s.worker_type}"
            lines.append(
                f"  {s.name}: {count(s.parallelism)}{kind}, from {format_time(s.start_s)}, "
                f"{format_time(s.duration.mean_s)} ({format_time(low)} to {format_time(high)}), "
                f"critical {s.criticality:.0%}, slack {format_time(s.slack_s)}"
            )
        for name, other in (("cheaper", self.cheaper), ("faster", self.faster)):
            if other is not None:
                lines.append(f"next {name}: {other}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        quantiles = (0.05, 0.5, 0.95)
        return {
            "workflow": self.workflow,
            "planner": self.planner,
            "goal": str(self.target),
            "feasible": self.feasible,
            "probability": self.probability,
            "nearest_deadline_s": self.nearest_deadline_s,
            "makespan_mean_s": self.makespan.mean_s,
            "makespan_quantiles_s": {f"{q:g}": self.makespan.quantile_s(q) for q in quantiles},
            "cost_mean": self.cost.mean,
            "cost_quantiles": {f"{q:g}": self.cost.quantile(q) for q in quantiles},
            "cost_unit": self.cost.unit,
            "why": self.why,
            "cheaper": None if self.cheaper is None else self.cheaper.to_json(),
            "faster": None if self.faster is None else self.faster.to_json(),
            "critical_path": list(self.critical_path),
            "stages": [s.to_json() for s in self.stages],
        }


def format_cost(cost: CostDistribution) -> str:
    """An expected cost with its unit."""
    return f"{cost.mean:.4g} {cost.unit}"
