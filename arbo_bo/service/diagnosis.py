"""What is wrong with a store, and what to do about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arbo_bo._format import format_time
from arbo_bo.errors import StoreError
from arbo_bo.service.journal import found_runs, refused_files
from arbo_bo.storage import SQLTrialStore
from arbo_bo.storage.inspection import DELETION, Inspection

SKEW_S = 5.0
SHOWN = 5


class Verdict(StrEnum):
    """How bad a finding is: OK, WARNING (works, but look at it) or ERROR (something will fail)."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was looked at.
        verdict: How bad it is.
        message: What was found.
        advice: What to do; empty where nothing is.
        names: All that was found, where the message names some of it.
    """

    check: str
    verdict: Verdict
    message: str
    advice: str = ""
    names: tuple[str, ...] = ()


def diagnose(store: SQLTrialStore) -> list[Finding]:
    """Looks at the database, its schema, rights, clock, runs and models; changes nothing.

    An empty database stays empty. What cannot be looked at, because an earlier check failed, is
    left out.
    """
    inspection = Inspection(store)
    findings = []
    for check in (_database, _schema, _rights, _clock, _runs, _watched, _trials, _models):
        finding = _guarded(check, inspection)
        findings.append(finding)
        if check in (_database, _schema) and finding.verdict is not Verdict.OK:
            break
    return findings


def _guarded(check: Callable[[Inspection], Finding], inspection: Inspection) -> Finding:
    try:
        return check(inspection)
    except StoreError as err:
        return Finding(check.__name__[1:], Verdict.ERROR, str(err))  # it says itself what to do


def _database(inspection: Inspection) -> Finding:
    server = inspection.server()
    damage = inspection.damage()
    if damage is not None:
        return Finding(
            "database",
            Verdict.ERROR,
            f"{inspection.masked_url} is damaged: {damage}",
            "restore it from a backup; what can still be read is shown by: sqlite3 FILE .recover",
        )
    return Finding("database", Verdict.OK, f"{inspection.masked_url} answers: {server}")


def _schema(inspection: Inspection) -> Finding:
    found, head = inspection.schema_versions()
    if found == head:
        return Finding("schema", Verdict.OK, f"{found}, which this arbo_bo works with")
    if found is None:
        return Finding(
            "schema",
            Verdict.WARNING,
            "the database is empty",
            "the first use makes the schema, if the user may; or run: arbo db upgrade",
        )
    if inspection.is_newer(found):
        return Finding(
            "schema",
            Verdict.ERROR,
            f"{found} is newer than {head}, which this arbo_bo works with",
            "upgrade arbo_bo: pip install --upgrade arbo-bo",
        )
    return Finding(
        "schema",
        Verdict.ERROR,
        f"{found} is older than {head}, which this arbo_bo needs",
        "make a backup, then run: arbo db upgrade",
    )


def _rights(inspection: Inspection) -> Finding:
    missing = list(inspection.missing_rights())
    if not missing:
        return Finding("rights", Verdict.OK, "this user may read, add, change and delete rows")
    if all(right.startswith(DELETION) for right in missing):
        return Finding(
            "rights",
            Verdict.OK,
            f"this user may read, add and change rows, and may not {', '.join(missing)}, "
            "which `arbo delete` and `arbo db prune` alone do",
        )
    return Finding(
        "rights",
        Verdict.ERROR,
        f"this user may not {', '.join(missing)}",
        "grant SELECT, INSERT and UPDATE on arbo's tables, or make the file and its folder "
        "writable; `arbo suggest` and `complete` fail until then",
    )


def _clock(inspection: Inspection) -> Finding:
    skew = inspection.clock_skew_s()
    if skew is None:
        return Finding("clock", Verdict.OK, "this machine's clock is the database's own")
    if abs(skew) <= SKEW_S:
        return Finding("clock", Verdict.OK, f"within {format_time(SKEW_S)} of the database's clock")
    side = "ahead of" if skew > 0 else "behind"
    return Finding(
        "clock",
        Verdict.WARNING,
        f"this machine's clock is {format_time(abs(skew))} {side} the database's",
        "set it by NTP; start and end of runs are taken by the database's clock meanwhile",
    )


def _runs(inspection: Inspection) -> Finding:
    stale = [f"{name} {index}" for name, index in inspection.stale_runs()]
    if not stale:
        return Finding("runs", Verdict.OK, "no run is past its lease")
    return Finding(
        "runs",
        Verdict.WARNING,
        f"{len(stale)} RUNNING past their lease: {_some(stale)}",
        "the next suggestion abandons them; or close them: arbo abandon TASK INDEX",
        tuple(stale),
    )


def _watched(inspection: Inspection) -> Finding:
    """The runs of this machine that end without a word, or whose outcome waits."""
    found = list(found_runs(inspection.masked_url, inspection.namespace))
    dead = [run.entry for run in found if run.is_dead]
    waiting = [run.entry for run in found if run.is_waiting]
    refused = refused_files()
    if not (dead or waiting or refused):
        return Finding("watched", Verdict.OK, "no run of this machine has gone unheard")
    said, advice = [], []
    names = [f"{entry.subject} (process {entry.pid})" for entry in dead]
    if dead:
        said.append(f"{len(dead)} ended with their process, without a word: {_some(names)}")
    if waiting:
        said.append(f"{len(waiting)} wait to be delivered: {_some(e.subject for e in waiting)}")
    if dead or waiting:
        advice.append("the next suggestion closes them; or now: arbo deliver")
    if refused:
        said.append(f"{len(refused)} were refused: {_some(map(str, refused))}")
        advice.append("each refused file holds a run as JSON; delete it once it is of no use")
    names += [*(entry.subject for entry in waiting), *map(str, refused)]
    return Finding("watched", Verdict.WARNING, "; ".join(said), "; ".join(advice), tuple(names))


def _trials(inspection: Inspection) -> Finding:
    unreadable = inspection.unreadable_trials()
    if not unreadable:
        return Finding("trials", Verdict.OK, "every trial can be read")
    return Finding(
        "trials",
        Verdict.ERROR,
        f"{len(unreadable)} cannot be read: {_some(unreadable)}",
        "they are left out of lists and decisions; correct the rows or delete them",
    )


def _models(inspection: Inspection) -> Finding:
    unreadable = inspection.unreadable_tasks()
    lost = [name for name, state in inspection.states() if not is_known_state(state)]
    if unreadable:
        return Finding(
            "models",
            Verdict.ERROR,
            f"{len(unreadable)} tasks cannot be read: {_some(unreadable.values())}",
            "upgrade arbo_bo if a later version wrote them; else configure the tasks anew",
            tuple(unreadable.values()),
        )
    if lost:
        return Finding(
            "models",
            Verdict.WARNING,
            f"what was learned of {len(lost)} tasks cannot be read: {_some(lost)}",
            "upgrade arbo_bo if a later version wrote it; else nothing, the next fit starts afresh",
            tuple(lost),
        )
    return Finding("models", Verdict.OK, "every task's configuration and model can be read")


def is_known_state(stored: Mapping[str, Any]) -> bool:
    """Whether the hyperparameters are none yet, or some that this version can go on from."""
    from arbo_bo.generation.online import OnlineState
    from arbo_bo.numerics.hyperparameters import Hyperparameters

    kinds = (Hyperparameters, OnlineState)
    return not stored or any(kind.from_json(stored) is not None for kind in kinds)


def _some(names: Iterator[str] | Any) -> str:
    names = list(names)
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
