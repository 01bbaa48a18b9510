"""What became of a stage, judged from the states and markers of its mapped instances."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from arbo_bo.experiment import TimeMeasure
from arbo_bo.experiment.outcome import RETRIED
from arbo_bo.integrations.airflow.concurrency import concurrency

CLOCK_SKEW_S = 60.0
"""By how much clocks may differ; a marker from longer before the decision is of an earlier one."""
_SHOWN = 8
"""How many instances a reason names."""

Place = tuple[str, int]
"""A mapped task's id, and an instance's map index."""


@dataclass(frozen=True)
class Verdict:
    """How a trial ends.

    Attributes:
        status: "completed", "failed" or "abandoned".
        reason: Why it failed or was abandoned.
        execution_time_s: The stage's time [s]; None unless completed.
        time_measure: Which time that is, "makespan" or "slowest".
        queued_time_s: From the decision to the first start [s]; None: not known.
        exclusion_reason: Why the time is no clean observation; None: it is one.
        parallelism: The degree that it is an observation of: how many ran side by side; None: as
            planned.
        timed_out_after_s: The time that a stage which was ended at a limit ran at least [s].
    """

    status: Literal["completed", "failed", "abandoned"]
    reason: str | None = None
    execution_time_s: float | None = None
    time_measure: TimeMeasure | None = None
    queued_time_s: float | None = None
    exclusion_reason: str | None = None
    parallelism: int | None = None
    timed_out_after_s: float | None = None


@dataclass(frozen=True)
class StageEvidence:
    """All that is known of the instances of one stage.

    Attributes:
        tasks: Ids of the mapped tasks, several in a mapped task group.
        indices: The map indices that the plan gave to this stage.
        rows: One for each instance in a terminal state: task_id, map_index, state, duration [s].
        begins: Markers from before the work, see `markers`.
        ends: Markers from after it.
        decided_at: When the plan decided [s since the epoch]; None: not known.
        planned: How many instances of each task the plan gave in all.
        limits_s: By the task its execution_timeout, where it has one [s].
    """

    tasks: Sequence[str]
    indices: range
    rows: Iterable[Mapping[str, Any]]
    begins: Iterable[Mapping[str, Any]] = ()
    ends: Iterable[Mapping[str, Any]] = ()
    decided_at: float | None = None
    planned: int | None = None
    limits_s: Mapping[str, float] = field(default_factory=dict)

    def judge(self, time_measure: TimeMeasure = TimeMeasure.MAKESPAN) -> Verdict:
        """Returns how the trial ends.

        Completed needs a success of every task at every index. A stage of which nothing ran is
        abandoned: that says nothing about its degree. Anything else failed.

        Args:
            time_measure: The time that is wanted: from the first start to the last end, or the
                slowest instance's. Without the markers of every instance only durations are known,
                and the slowest is given: it does not train, since nothing tells how many ran side
                by side.
        """
        states = self._states()
        wanted = [(task, index) for index in self.indices for task in self.tasks]
        surplus = self._surplus()
        if not any(states.get(place) in ("success", "failed") for place in wanted):
            seen = Counter(row["state"] for row in self.rows if row["task_id"] in self.tasks)
            listed = ", ".join(f"{n} {state}" for state, n in sorted(seen.items()))
            return Verdict("abandoned", f"nothing ran: {listed or 'no instances'}")
        if surplus:
            return Verdict(
                "failed", f"{surplus} more instances ran than the {self.planned} planned"
            )
        if any(states.get(place) != "success" for place in wanted):
            return self._failed(states, wanted)
        return self._timed(wanted, time_measure)

    def _states(self) -> dict[Place, str]:
        return {(row["task_id"], row["map_index"]): row["state"] for row in self.rows}

    def _surplus(self) -> int:
        if self.planned is None:
            return 0
        return sum(
            row["task_id"] in self.tasks
            and row["map_index"] >= self.planned
            and row["state"] != "removed"  # left over from a larger degree, before a clear
            for row in self.rows
        )

    def _failed(self, states: Mapping[Place, str], wanted: Sequence[Place]) -> Verdict:
        bad = {place: states.get(place, "missing") for place in wanted}
        bad = {place: state for place, state in bad.items() if state != "success"}
        counts = Counter(bad.values())
        listed = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        reason = f"of {len(wanted)} instances {listed} ({self._named(bad)})"
        cut_off = self._cut_off([place for place, state in bad.items() if state == "failed"])
        if cut_off is None:
            return Verdict("failed", reason)
        return Verdict(
            "failed",
            f"{reason}: timed out after {cut_off:.6g} s",
            timed_out_after_s=cut_off,
        )

    def _cut_off(self, failed: Sequence[Place]) -> float | None:
        """The time that the stage took at least, where every failure was a time-out [s].

        A duration counts from before the limit does, so it is never shorter than the limit.
        """
        durations = self._durations()
        ran = {place: self.limits_s.get(place[0], math.inf) for place in failed}
        if not failed or any(durations.get(place, 0.0) < limit for place, limit in ran.items()):
            return None
        return self._slowest(durations | ran)

    def _timed(self, wanted: Sequence[Place], time_measure: TimeMeasure) -> Verdict:
        begins, ends = self._by_place(self.begins), self._by_place(self.ends)
        durations = self._durations()
        spans = [(ends[place]["start"], ends[place]["end"]) for place in wanted if place in ends]
        marked = len(spans) == len(wanted)
        if not marked:
            time_measure = TimeMeasure.SLOWEST
            time_s = self._slowest(durations)
        elif time_measure == TimeMeasure.MAKESPAN:
            time_s = max(end for _, end in spans) - min(start for start, _ in spans)
        else:
            time_s = self._slowest({p: ends[p]["end"] - ends[p]["start"] for p in wanted})
        if time_s <= 0:
            return Verdict("abandoned", "nothing ran: every success was set by hand")
        flaw = self._flaw(wanted, begins, ends, durations)
        degree = None
        if flaw is None:
            degree, flaw = self._ran_as(ends if marked else None, time_measure)
        queued_s = None
        if self.decided_at is not None and (starts := [start for start, _ in spans]):
            queued_s = max(0.0, min(starts) - self.decided_at)
        return Verdict(
            "completed",
            execution_time_s=time_s,
            time_measure=time_measure,
            queued_time_s=queued_s,
            exclusion_reason=flaw,
            parallelism=degree,
        )

    def _ran_as(
        self, ends: Mapping[Place, Mapping[str, Any]] | None, time_measure: TimeMeasure
    ) -> tuple[int | None, str | None]:
        """How many ran side by side, None where that is as planned; and why it does not train."""
        planned = len(self.indices)
        if ends is None:
            unknown = f"how many of {planned} instances ran side by side is not known"
            return None, None if planned == 1 else unknown
        ran = concurrency(
            {
                index: [(ends[t, index]["start"], ends[t, index]["end"]) for t in self.tasks]
                for index in self.indices
            }
        )
        degree = ran.parallelism
        if degree == planned:
            return None, None
        if degree is None or time_measure == TimeMeasure.SLOWEST:
            return (ran.peak if ran.peak < planned else None), str(ran)
        return degree, None

    def _by_place(self, markers: Iterable[Mapping[str, Any]]) -> dict[Place, Mapping[str, Any]]:
        """The markers of this trial: a clear leaves older ones where nothing ran since."""
        since = -math.inf if self.decided_at is None else self.decided_at - CLOCK_SKEW_S
        return {(m["task_id"], m["map_index"]): m for m in markers if m["start"] >= since}

    def _durations(self) -> dict[Place, float]:
        return {(row["task_id"], row["map_index"]): row.get("duration") or 0.0 for row in self.rows}

    def _slowest(self, durations: Mapping[Place, float]) -> float:
        """The longest time that one chunk took, its tasks one after another [s]."""
        return max(
            sum(durations.get((task, index), 0.0) for task in self.tasks) for index in self.indices
        )

    def _flaw(
        self,
        wanted: Sequence[Place],
        begins: Mapping[Place, Any],
        ends: Mapping[Place, Any],
        durations: Mapping[Place, float],
    ) -> str | None:
        """Why the time is no clean observation of this degree."""
        retried = [place for place in wanted if place in ends and ends[place]["retried"]]
        if retried:
            return f"{RETRIED}: {self._named(retried)}"
        by_hand = [
            place
            for place in wanted
            if place not in ends and (place in begins or durations[place] <= 0 or ends)
        ]
        if by_hand:
            return f"did not end by itself: {self._named(by_hand)}"
        return None

    def _named(self, places: Iterable[Place]) -> str:
        several = len(self.tasks) > 1
        names = [f"{task}[{index}]" if several else f"[{index}]" for task, index in places]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"map index {', '.join(names[:_SHOWN])}{more}"
