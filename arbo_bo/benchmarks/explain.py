"""The worst tasks: what was chosen, what was right, and what the posterior said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arbo_bo.benchmarks import analysis
from arbo_bo.benchmarks.measures import EARLY, GROUP, TASK
from arbo_bo.benchmarks.policies.arbo import ArboPolicy
from arbo_bo.benchmarks.problems import Case, TimedProblem
from arbo_bo.benchmarks.suite import Suite
from arbo_bo.benchmarks.truth import Truth, truths
from arbo_bo.benchmarks.units import OPENING_RUNS, make_registered, setting_of
from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment import Candidate, Context, Objective

if TYPE_CHECKING:
    import pandas as pd

NOT_BUILT = "The suite cannot be built here, so that neither truth nor posterior is shown."


@dataclass(frozen=True)
class Explanation:
    """One task and seed in which a policy did badly.

    Attributes:
        suite: Its suite.
        problem: Its name.
        seed: Its seed.
        objective: What was minimised.
        deadline_s: The deadline [s]; None: none.
        badness: The mean regret over the early runs; with a deadline the rate of its misses.
        history: Every run, as recorded.
        worst_run: The run, from the third on, whose choice was worst.
        candidates: What arbo believed before that run.
        truth: The truth about every degree of that run; empty where the suite cannot be built here.
        remark: Why something is not shown, or not as it was; empty: nothing is.
    """

    suite: str
    problem: str
    seed: int
    objective: Objective
    deadline_s: float | None
    badness: float
    history: tuple[dict[str, Any], ...]
    worst_run: int
    candidates: tuple[Candidate, ...]
    truth: tuple[Truth, ...]
    remark: str = ""

    @property
    def at_worst(self) -> dict[str, Any]:
        """The record of the worst run."""
        return next(r for r in self.history if r["run"] == self.worst_run)

    @property
    def is_own(self) -> bool:
        """Whether the posterior is the policy's own; else it is the default arbo's."""
        return analysis.is_arbo(self.at_worst["policy"])

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
    """Explains the tasks in which a policy did worst over the early runs.

    Tasks with a deadline are ranked by their misses, the others by regret, and each kind has its
    own worst.

    Args:
        records: Of a benchmark.
        suites: Its suites, as far as they can be built here.
        policy: Whose choices.
        count: How many tasks of each kind.

    Raises:
        InvalidValueError: The policy has no records of three runs or more.
    """
    late = records["deadline_s"].notna()
    kinds = [part for part in (records[~late], records[late]) if not part.empty]
    worst = [
        row
        for part in kinds
        for row in analysis.worst_tasks(part, policy, count).to_dict("records")
    ]
    if not worst:
        raise InvalidValueError(
            f"there is nothing to explain: no unit of {policy!a} has three runs; there are "
            f"{', '.join(sorted(records['policy'].unique()))}"
        )
    cases = {_case_key(case): case for suite in suites for case in suite.cases}
    return [_explain_one(records, policy, row, cases) for row in worst]


def _case_key(case: Case) -> tuple[str, str, float, float]:
    return case.suite, case.name, case.objective.urgency, case.objective.exponent


def _explain_one(
    records: "pd.DataFrame",
    policy: str,
    row: dict[Any, Any],
    cases: dict[tuple[str, str, float, float], Case],
) -> Explanation:
    wanted = records["policy"] == policy
    for name in (*GROUP, *TASK):
        wanted &= records[name] == row[name]
    history = tuple(_record(r) for r in records[wanted].sort_values("run").to_dict("records"))
    worst = max((r for r in history if r["run"] >= EARLY[0]), key=_badness)
    objective, seed = Objective(row["urgency"], row["cost_exponent"]), int(row["seed"])
    case = cases.get((row["suite"], row["problem"], objective.urgency, objective.exponent))
    candidates: tuple[Candidate, ...] = ()
    truth: list[Truth] = []
    remark = NOT_BUILT
    if case is not None:
        problem = case.source.problem(seed)
        truth = truths(problem, worst["run"], objective, case.deadline_s, case.confidence)
        candidates, remark = _replayed(case, problem, policy, seed, history, worst)
    return Explanation(
        suite=row["suite"],
        problem=row["problem"],
        seed=seed,
        objective=objective,
        deadline_s=worst["deadline_s"],
        badness=float(row["value"]),
        history=history,
        worst_run=worst["run"],
        candidates=candidates,
        truth=tuple(truth),
        remark=remark,
    )


def _badness(record: dict[str, Any]) -> tuple[float, ...]:
    """How bad a run is: by regret; with a deadline by a miss that was likely, then by cost."""
    if record["deadline_s"] is None:
        return record["regret"], -record["run"]
    missed = bool(record["missed"]) and bool(record["achievable"])
    return missed, 1 - record["within"], record["cost_ratio"] or 0.0, -record["run"]


def _record(row: dict[Any, Any]) -> dict[str, Any]:
    """A record with None for what is unknown, and whole numbers as such."""
    record: dict[str, Any] = {
        str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()
    }
    for name in ("run", "parallelism", "best_parallelism", "seed"):
        record[name] = int(record[name])
    return record


def _replayed(
    case: Case,
    problem: TimedProblem,
    policy: str,
    seed: int,
    history: Sequence[dict[str, Any]],
    worst: dict[str, Any],
) -> tuple[tuple[Candidate, ...], str]:
    """What arbo believed before the worst run, and a remark where that is not quite it.

    The policy is made anew, told every run, and asked where it was asked then, so that it keeps the
    hyperparameters from one fit to the next as it did. A policy that is not arbo has no such
    belief: then it is arbo's, had it been told these runs.
    """
    name = policy if analysis.is_arbo(policy) else analysis.REFERENCE
    try:
        arbo = make_registered(name, problem, setting_of(case, seed))
        assert isinstance(arbo, ArboPolicy)
        for record in history[: worst["run"]]:
            run, context = record["run"], _context(record)
            chosen = record["parallelism"]
            if run > OPENING_RUNS:
                chosen = arbo.ask(context, problem.degrees(run))
            if name == policy and chosen != record["parallelism"]:
                return (), (
                    f"Asked again, {policy} chooses {chosen} in run {run} and not "
                    f"{record['parallelism']}: another version decided, so that its posterior is "
                    "not shown."
                )
            arbo.tell(context, record["parallelism"], record["execution_time_s"])
    except ArboError as err:
        return (), f"arbo could not be asked again: {err}"
    return arbo.candidates, ""


def _context(record: dict[str, Any]) -> Context:
    return Context(record["input_size"], record["cluster_load"])
