"""The worst tasks: what was chosen, what was right, and what the posterior said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks import analysis
from arbo_bo.benchmarks.problems import Case, middle
from arbo_bo.benchmarks.suites import Suite
from arbo_bo.benchmarks.truth import Truth, truths
from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment import (
    Arm,
    Candidate,
    Context,
    Experiment,
    Objective,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.experiment import TaskModel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Explanation:
    """One task and seed in which a policy did badly.

    Attributes:
        suite: Its suite.
        problem: Its name.
        seed: Its seed.
        objective: What was minimised.
        deadline_s: The deadline [s]; None: none.
        mean_regret: Over runs 3-12.
        history: Every run, as recorded.
        worst_run: The run, from the third on, whose choice was worst.
        candidates: What arbo believes before that run, refitted on the runs before it.
        truth: The truth about every degree of that run; empty where the suite cannot be built here.
        remark: Why something is not shown; empty: nothing is left out.
    """

    suite: str
    problem: str
    seed: int
    objective: Objective
    deadline_s: float | None
    mean_regret: float
    history: tuple[dict[str, Any], ...]
    worst_run: int
    candidates: tuple[Candidate, ...]
    truth: tuple[Truth, ...]
    remark: str = ""

    @property
    def at_worst(self) -> dict[str, Any]:
        """The record of the worst run."""
        return next(r for r in self.history if r["run"] == self.worst_run)

    def runs_before(self) -> dict[int, list[float]]:
        """The measured times by degree that were known before the worst run [s]."""
        times: dict[int, list[float]] = {}
        for record in self.history:
            if record["run"] < self.worst_run:
                times.setdefault(record["parallelism"], []).append(record["execution_time_s"])
        return times


def explain(
    records: "pd.DataFrame", suites: Sequence[Suite], policy: str, count: int = 3
) -> list[Explanation]:
    """Explains the tasks in which a policy's regret over runs 3-12 was highest.

    Args:
        records: Of a benchmark.
        suites: Its suites, as far as they can be built here.
        policy: Whose choices.
        count: How many tasks.

    Raises:
        InvalidValueError: The policy has no records of three runs or more.
    """
    worst = analysis.worst_tasks(records, policy, count)
    if worst.empty:
        raise InvalidValueError(
            f"there is nothing to explain: no unit of {policy!a} has three runs; there are "
            f"{', '.join(sorted(records['policy'].unique()))}"
        )
    cases = {_case_key(case): case for suite in suites for case in suite.cases}
    return [_explain_one(records, policy, row, cases) for row in worst.to_dict("records")]


def _case_key(case: Case) -> tuple[str, str, float, float]:
    return case.suite, case.name, case.objective.urgency, case.objective.exponent


def _explain_one(
    records: "pd.DataFrame",
    policy: str,
    row: dict[Any, Any],
    cases: dict[tuple[str, str, float, float], Case],
) -> Explanation:
    wanted = records["policy"] == policy
    for name in (*analysis.GROUP, *analysis.TASK):
        wanted &= records[name] == row[name]
    history = tuple(_record(r) for r in records[wanted].sort_values("run").to_dict("records"))
    late = [r for r in history if r["run"] >= analysis.EARLY[0]]
    worst = max(late, key=lambda r: (r["regret"], -r["run"]))
    objective = Objective(row["urgency"], row["cost_exponent"])
    case = cases.get((row["suite"], row["problem"], objective.urgency, objective.exponent))
    seed = int(row["seed"])
    degrees, truth, remark = _degrees_and_truth(case, history, worst["run"], seed)
    candidates: tuple[Candidate, ...] = ()
    try:
        candidates = _posterior(objective, degrees, history, worst)
    except ArboError as err:
        remark = f"{remark} arbo could not be refitted: {err}".strip()
    return Explanation(
        suite=row["suite"],
        problem=row["problem"],
        seed=seed,
        objective=objective,
        deadline_s=worst["deadline_s"],
        mean_regret=float(row["regret"]),
        history=history,
        worst_run=worst["run"],
        candidates=candidates,
        truth=truth,
        remark=remark,
    )


def _record(row: dict[Any, Any]) -> dict[str, Any]:
    """A record with None for what is unknown, and whole numbers as such."""
    record: dict[str, Any] = {
        str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()
    }
    for name in ("run", "parallelism", "best_parallelism", "seed"):
        record[name] = int(record[name])
    return record


def _degrees_and_truth(
    case: Case | None, history: Sequence[dict[str, Any]], run: int, seed: int
) -> tuple[tuple[int, ...], tuple[Truth, ...], str]:
    if case is None:
        seen = {r["parallelism"] for r in history} | {r["best_parallelism"] for r in history}
        remark = "The suite cannot be built here: only degrees that were chosen or right are shown."
        return tuple(sorted(seen)), (), remark
    table = truths(case.source.problem(seed), run, case.objective, case.deadline_s, case.confidence)
    return tuple(t.parallelism for t in table), tuple(table), ""


def _posterior(
    objective: Objective,
    degrees: Sequence[int],
    history: Sequence[dict[str, Any]],
    worst: dict[str, Any],
) -> tuple[Candidate, ...]:
    from arbo_bo.generation import generate

    before = [r for r in history if r["run"] < worst["run"]]
    sizes = [r["input_size"] for r in before if r["input_size"] is not None]
    experiment = Experiment(
        "task",
        search_space=SearchSpace(tuple(degrees)),
        default_parallelism=middle(degrees),
        objective=objective,
        model=TaskModel(base_input_size=sizes[0] if sizes else None, sample_count=len(before)),
    )
    trials = [_trial(r) for r in before]
    return generate(experiment, trials, _context(worst)).decision.candidates


def _trial(record: dict[str, Any]) -> Trial:
    return Trial(
        task="task",
        trial_index=record["run"] - 1,
        status=TrialStatus.COMPLETED,
        arm=Arm(record["parallelism"]),
        context=_context(record),
        phase=Phase.ATTACHED,
        execution_time_s=record["execution_time_s"],
    )


def _context(record: dict[str, Any]) -> Context:
    return Context(record["input_size"], record["cluster_load"])
