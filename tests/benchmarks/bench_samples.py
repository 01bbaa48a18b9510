"""Rows of small tables, records of small benchmarks, and policies that cost nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from arbo_bo.benchmarks.protocol import Policy, Problem, Setting
from arbo_bo.experiment import Context

Row = dict[str, Any]


def row(**values: Any) -> Row:
    """A row of a table; what is not given is as in most rows."""
    usual = {
        "task": "sort",
        "context": "",
        "parallelism": 1,
        "input_size": 1.0,
        "input_unit": "GB",
        "cluster_load": "",
        "execution_time_s": 10.0,
        "price_per_worker_hour": "",
        "repeat": 0,
    }
    return usual | values


SORT = [row(parallelism=s, execution_time_s=1 + 8 / s) for s in (1, 2, 4, 8)]
SCAN = [
    row(task="scan", parallelism=s, input_size=size, execution_time_s=size * (1 + 4 / s), repeat=r)
    for s in (1, 2, 4)
    for size in (1.0, 2.0)
    for r in (0, 1)
]


class Fixed:
    """Always the n-th degree, or the last."""

    def __init__(self, position: int) -> None:
        self.position = position

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        return degrees[min(self.position, len(degrees) - 1)]

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        pass


class Broken(Fixed):
    """Raises on its third question."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked = 0

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        self.asked += 1
        if self.asked == 3:
            raise RuntimeError("no more")
        return degrees[0]


class Lawless(Fixed):
    """Answers what nobody allowed."""

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        return 12345


def make_simple(name: str, problem: Problem, setting: Setting) -> Policy:
    """Makes the policies above, and the registry's."""
    from arbo_bo.benchmarks.units import make_registered

    if name == "broken":
        return Broken()
    if name == "lawless":
        return Lawless(0)
    if name.startswith("fixed"):
        return Fixed(int(name.removeprefix("fixed")))
    return make_registered(name, problem, setting)


def unit(policy: str, problem: str, regrets: list[float], seed: int = 0, **more: Any) -> Any:
    """The records of one unit, with these regrets."""
    count = len(regrets)
    base = {
        "suite": "s",
        "problem": problem,
        "urgency": 1.0,
        "cost_exponent": 0.5,
        "policy": policy,
        "seed": seed,
        "run": range(1, count + 1),
        "regret": regrets,
        "decision_s": 0.001,
        "deadline_s": np.nan,
        "missed": np.nan,
        "achievable": np.nan,
        "cost_ratio": np.nan,
        "failed": False,
        "error": "",
    }
    return pd.DataFrame(base | more)


def regrets(late: float, count: int = 12) -> list[float]:
    return [1.0, 1.0, *[late] * (count - 2)]


TWO = pd.concat(
    [
        unit("arbo", "a", regrets(0.1)),
        unit("arbo", "b", regrets(0.3)),
        unit("ernest", "a", regrets(0.2)),
        unit("ernest", "b", regrets(0.4)),
        unit("random", "a", regrets(1.0)),
        unit("random", "b", regrets(2.0)),
        unit("oracle", "a", regrets(0.0)),
        unit("oracle", "b", regrets(0.0)),
    ],
    ignore_index=True,
)


def programs(policy: str, late: float, count: int = 6) -> Any:
    """One unit of each of so many programs."""
    units = [unit(policy, f"p{i}", regrets(late + i / 10)) for i in range(count)]
    return pd.concat(units, ignore_index=True)
