"""The smallest piece of a benchmark: one policy on one problem with one seed."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arbo_bo.benchmarks.problems import Case, TimedProblem, middle
from arbo_bo.benchmarks.protocol import Policy, Setting
from arbo_bo.benchmarks.seeds import derive, generator
from arbo_bo.benchmarks.truth import best, truths
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context

OPENING_RUNS = 2

Record = dict[str, Any]
Key = tuple[str, str, float, float, str, int]
"""Suite, problem, urgency, cost exponent, policy, seed."""
MakePolicy = Callable[[str, TimedProblem, Setting], Policy]


@dataclass(frozen=True)
class Unit:
    """One policy on one case with one seed.

    Attributes:
        case: The problem and what is minimised.
        policy: The policy's name.
        seed: Fixes the contexts, the draws, and what the policy itself draws.
        runs: How many runs there are.
    """

    case: Case
    policy: str
    seed: int
    runs: int

    @property
    def key(self) -> Key:
        """What tells this unit from all others of the same benchmark."""
        o = self.case.objective
        return (self.case.suite, self.case.name, o.urgency, o.exponent, self.policy, self.seed)


@dataclass(frozen=True)
class _Step:
    """What one run was: its choice, its time, and how long the decision took [s]."""

    context: Context
    parallelism: int
    execution_time_s: float
    decision_s: float


def make_registered(name: str, problem: TimedProblem, setting: Setting) -> Policy:
    """A policy of the registry; the oracle sees the problem."""
    from arbo_bo.benchmarks.policies.registry import ORACLE, make_oracle, make_policy

    return make_oracle(problem, setting) if name == ORACLE else make_policy(name, setting)


def setting_of(case: Case, seed: int) -> Setting:
    """What a policy is told of a case."""
    return Setting(
        space=case.source.space,
        objective=case.objective,
        default_parallelism=middle(case.source.space.degrees),
        seed=derive("policy", case.name, seed) % 2**31,
        deadline_s=case.deadline_s,
        confidence=case.confidence,
    )


def run_unit(unit: Unit, make: MakePolicy = make_registered) -> list[Record]:
    """Replays one unit.

    The first two runs take the smallest and the middle degree that the run allows, whatever the
    policy. A run's time depends on problem, seed, run and degree alone: two policies that choose
    the same degree see the same time. A policy that raises ends the unit: its last record holds the
    error and no run.

    Returns:
        One record a run; all records of a unit hold how many there are.
    """
    case = unit.case
    problem = case.source.problem(unit.seed)
    setting = setting_of(case, unit.seed)
    records: list[Record] = []
    try:
        policy = make(unit.policy, problem, setting)
        for run in range(1, unit.runs + 1):
            _one_thread()
            step = _step(policy, problem, run, unit.seed)
            records.append(_record(unit, problem, run, step))
    except Exception as err:  # a peer's own failure is a result, not the benchmark's end
        message = " ".join(f"{type(err).__name__}: {err}".split())[:300]
        records.append(_identity(unit) | {"run": len(records) + 1, "error": message})
    return [record | {"records": len(records)} for record in records]


def _step(policy: Policy, problem: TimedProblem, run: int, seed: int) -> _Step:
    context, degrees = problem.context(run), list(problem.degrees(run))
    started = time.perf_counter()
    if run <= OPENING_RUNS:
        chosen = degrees[0] if run == 1 else middle(degrees)
    else:
        chosen = policy.ask(context, degrees)
    elapsed = time.perf_counter() - started
    if chosen not in degrees:
        raise InvalidValueError(f"the policy chose {chosen!r}, and allowed are {degrees}")
    drawn = problem.draw_s(run, chosen, generator("draw", problem.name, seed, run, chosen))
    started = time.perf_counter()
    policy.tell(context, chosen, drawn)
    return _Step(context, int(chosen), drawn, elapsed + time.perf_counter() - started)


def _identity(unit: Unit) -> Record:
    case = unit.case
    return {
        "suite": case.suite,
        "problem": case.name,
        "urgency": case.objective.urgency,
        "cost_exponent": case.objective.exponent,
        "policy": unit.policy,
        "seed": unit.seed,
        "runs": unit.runs,
        "deadline_s": case.deadline_s,
        "confidence": case.confidence,
    }


def _record(unit: Unit, problem: TimedProblem, run: int, step: _Step) -> Record:
    case = unit.case
    table = truths(problem, run, case.objective, case.deadline_s, case.confidence)
    right = best(table)
    chosen = next(t for t in table if t.parallelism == step.parallelism)
    record = _identity(unit) | {
        "run": run,
        "parallelism": step.parallelism,
        "input_size": step.context.input_size,
        "cluster_load": step.context.cluster_load,
        "execution_time_s": step.execution_time_s,
        "score": chosen.score,
        "best_parallelism": right.parallelism,
        "best_score": right.score,
        "regret": chosen.score / right.score - 1,
        "decision_s": step.decision_s,
    }
    if case.deadline_s is not None:
        both = chosen.feasible and right.feasible
        record |= {
            "missed": step.execution_time_s > case.deadline_s,
            "within": chosen.within,
            "achievable": right.feasible,
            "cost_ratio": chosen.score / right.score if both else None,
        }
    return record


def _one_thread() -> None:
    """One thread for torch where a policy has loaded it: the processes share the cores."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
