"""Optimizations: what workers and data do beside the stages' work, where its conditions hold.

Each is a class with a name and its conditions. On a plan it is an annotation ``planner/name``, or
``user/name`` where the user has put it on the stage: those are kept, and planners add none there.
Another package adds one by passing it to `arranged`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.planning.forecast import Evaluation, Forecast
from arbo_bo.planning.network import Arrangement, Numbers, goes_on

WORTHWHILE = 0.15
"""A start-up is warmed ahead where it is more than this share of the work that follows."""
LARGE = 2.0
"""An output is large where its transfer takes this many times the median one."""


class Optimization(Protocol):
    """Something that workers or data do for a stage."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """The stages whose conditions hold, and a stage that each refers to, or -1."""
        ...

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """The arrangement with it on those stages."""
        ...


@dataclass(frozen=True)
class PreLoad:
    """Inputs are fetched as each becomes ready: for stages with two or more parents elsewhere."""

    name: str = "pre-load"

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """Stages with two or more parents whose output lies elsewhere."""
        claimed, found = forecast.arrangement.claims, {}
        for i, (parents, times) in enumerate(
            zip(forecast.network.parents, forecast.network.transfer, strict=True)
        ):
            moved = [p for p, t in zip(parents, times, strict=True) if t and claimed.get(i) != p]
            if len(moved) > 1:
                found[i] = -1
        return found

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """See `Optimization`."""
        return replace(arrangement, preloaded=arrangement.preloaded | frozenset(stages))


@dataclass(frozen=True)
class PreWarm:
    """Workers are started ahead: for stages expected cold whose start-up is worth it.

    The start-up is over 15 % of the work that follows. The trigger is the stage that ends last
    among those that end early enough, and not so early that the worker is cold again; without one
    it is the workflow's start, for stages that begin soon enough.
    """

    name: str = "pre-warm"

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """Stages that wait for their workers, with their triggers."""
        now = forecast.evaluate(choice)
        start = [float(s.mean()) for s in now.timing.start]
        finish = [float(f.mean()) for f in now.timing.finish]
        found = {}
        for i, own in enumerate(forecast.times):
            startup = float(own.startup[choice[i]])
            waits = float(np.mean(now.timing.cold[i])) > 0
            if not waits or startup <= WORTHWHILE * float(now.durations[i].mean()) or not start[i]:
                continue
            trigger = self._trigger(forecast, start[i], finish, startup)
            if trigger is not None:
                found[i] = trigger
        return found

    def _trigger(
        self, forecast: Forecast, start: float, finish: Sequence[float], startup: float
    ) -> int | None:
        keep = forecast.network.keep_warm_s
        early = [
            j for j, end in enumerate(finish) if end + startup <= start <= end + startup + keep
        ]
        if early:
            return max(early, key=lambda j: finish[j])
        return -1 if start <= startup + keep else None

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """See `Optimization`."""
        return replace(arrangement, warmed={**arrangement.warmed, **stages})


@dataclass(frozen=True)
class Clustering:
    """A stage goes on with a parent's workers: they are warm, and hold its output."""

    name: str = "clustering"

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """The stages that are critical most often choose first; see `claims`."""
        new = claims(forecast, choice).claims
        return {i: p for i, p in new.items() if i not in forecast.arrangement.claims}

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """See `Optimization`."""
        return replace(arrangement, claims={**arrangement.claims, **stages})


@dataclass(frozen=True)
class DelayedIO:
    """A large output stays with its worker until somebody reads it."""

    name: str = "delayed-io"

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """Parents whose output takes twice the median transfer or more."""
        sent = {
            p: t
            for i, ps in enumerate(forecast.network.parents)
            for p, t in zip(ps, forecast.network.transfer[i], strict=True)
            if t
        }
        if not sent:
            return {}
        usual = float(np.median(list(sent.values())))
        return {p: -1 for p, t in sent.items() if t >= LARGE * usual}

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """See `Optimization`."""
        return replace(arrangement, deferred=arrangement.deferred | frozenset(stages))


@dataclass(frozen=True)
class Duplication:
    """A stage runs twice, and the first to end counts: for critical stages that are idempotent.

    It pays for both, so that nobody gets it who has not asked for it.
    """

    name: str = "duplication"

    def stages(self, forecast: Forecast, choice: Numbers) -> dict[int, int]:
        """Idempotent stages that are on the longest path in half of the cases or more."""
        critical = forecast.criticality(forecast.evaluate(choice))
        able = [i for i, t in enumerate(forecast.times) if t.stage.idempotent]
        return {i: -1 for i in able if critical[i] >= 0.5}

    def applied(self, arrangement: Arrangement, stages: dict[int, int]) -> Arrangement:
        """See `Optimization`."""
        return replace(arrangement, duplicated=arrangement.duplicated | frozenset(stages))


_EVERY: tuple[Optimization, ...] = (
    Clustering(),
    PreLoad(),
    PreWarm(),
    DelayedIO(),
    Duplication(),
)
OPTIMIZATIONS = {one.name: one for one in _EVERY}
USUAL = ("clustering", "pre-load", "pre-warm")
"""Those that cost nothing."""


def optimization_of(name: str) -> Optimization:
    """The optimization of a name.

    Raises:
        InvalidValueError: None has it.
    """
    if name not in OPTIMIZATIONS:
        raise InvalidValueError(
            f"an optimization is one of {', '.join(OPTIMIZATIONS)}, got {validation.short(name)}"
        )
    return OPTIMIZATIONS[name]


@dataclass(frozen=True, eq=False)
class Arranged:
    """A forecast with its optimizations.

    Attributes:
        forecast: What it predicts includes them.
        annotations: Names by number of the stage.
    """

    forecast: Forecast
    annotations: dict[int, tuple[str, ...]]


def arranged(
    forecast: Forecast,
    choice: Numbers,
    planner: str,
    optimizations: Iterable[Optimization],
) -> Arranged:
    """A forecast with the user's optimizations, and those whose conditions hold.

    Args:
        forecast: Of the stages.
        choice: Shape (S,).
        planner: Whose annotations the new ones are.
        optimizations: Which are looked at, in their order.
    """
    names: dict[int, tuple[str, ...]] = {}
    users = {i: t.stage.annotations for i, t in enumerate(forecast.times) if t.stage.annotations}
    for i, wanted in users.items():
        for name in wanted:
            one = OPTIMIZATIONS[name]
            refers = one.stages(forecast, choice).get(i, -1)
            if name == "clustering" and refers < 0:
                continue
            forecast = forecast.arranged(one.applied(forecast.arrangement, {i: refers}))
            names[i] = (*names.get(i, ()), f"user/{name}")
    for one in optimizations:
        found = {i: j for i, j in one.stages(forecast, choice).items() if i not in users}
        if found:
            forecast = forecast.arranged(one.applied(forecast.arrangement, found))
            for i in found:
                names[i] = (*names.get(i, ()), f"{planner}/{one.name}")
    return Arranged(forecast, names)


def claims(forecast: Forecast, choice: Numbers) -> Arrangement:
    """Who goes on with whose workers: the stages that are critical most often choose first.

    Each prefers the parent that it waits for most often; a parent's workers go to one stage.
    """
    kept = forecast.arrangement
    if not any(t.startup.any() for t in forecast.times) and not any(
        any(t) for t in forecast.network.transfer
    ):
        return kept
    found: Evaluation = forecast.evaluate(choice)
    critical = forecast.criticality(found)
    loads = [forecast.load(i, choice[None]) for i in range(len(forecast))]
    taken, chosen = set(kept.claims.values()), dict(kept.claims)
    for i in sorted(range(len(forecast)), key=lambda i: (-critical[i], i)):
        able = [
            p
            for p in forecast.network.parents[i]
            if p not in taken and i not in chosen and goes_on(loads[i], loads[p]).all()
        ]
        if able:
            last = np.array([found.timing.finish[p][0] for p in able]).argmax(0)
            chosen[i] = able[int(np.bincount(last, minlength=len(able)).argmax())]
            taken.add(chosen[i])
    return replace(kept, claims=chosen)
