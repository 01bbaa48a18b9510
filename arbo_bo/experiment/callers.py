"""Several callers of one task: what each asked for, and whose settings stand.

A workflow asks for the same settings at each of its runs. Somebody who changes one of them
meanwhile, by hand or from another workflow, means it; so a caller's setting is taken when the
caller changes it, and not because it is asked for once more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from arbo_bo.errors import DegreeNotAllowedError
from arbo_bo.experiment.experiment import Experiment
from arbo_bo.experiment.keywords import UNSET
from arbo_bo.experiment.slo import service_levels
from arbo_bo.experiment.space import SearchSpace
from arbo_bo.experiment.worker_type import WorkerTypes

_SPACE, _DEGREES = "search_space", ("default_parallelism", "pin")
_SHOWN = {_SPACE: "parallelism"}


def asked_by(
    caller: str, stored: Experiment | None, new: Experiment, settings: Mapping[str, Any]
) -> tuple[Experiment, list[str]]:
    """Returns the experiment as this caller may change it, and what else there is to tell.

    A setting that differs from the stored one is taken, unless the caller asked for the same
    before (somebody has changed it since), or another caller asks for what is stored.

    Args:
        caller: Who asks.
        stored: The experiment; None: there is none yet.
        new: What it would be then, without settings.
        settings: As of `Experiment.changed`.

    Raises:
        InvalidValueError: A value is outside its domain.
    """
    before = stored or new
    asked = {
        name: _text(name, _stored(new, name) if value is None else value)
        for name, value in settings.items()
        if value is not UNSET
    }
    earlier = before.callers.get(caller, {})
    accepted, kept, notes = {}, {}, []
    for name, text in asked.items():
        have = _text(name, _stored(before, name))
        if have == text:
            continue
        others = [c for c, said in before.callers.items() if c != caller and said.get(name) == have]
        if earlier.get(name) == text or (name not in earlier and others):
            kept[name] = _why(others)
        else:
            accepted[name] = settings[name]
            if have not in (earlier.get(name), _text(name, _stored(new, name))):
                notes.append(_changed(before, name, have, text, caller))
    changed = _taken(before, accepted, kept)
    notes += [_stays(changed, name, asked[name], caller, why) for name, why in kept.items()]
    return replace(changed, callers={**before.callers, caller: {**earlier, **asked}}), notes


def _taken(before: Experiment, accepted: dict[str, Any], kept: dict[str, str]) -> Experiment:
    """The experiment with what is accepted; a degree outside of kept degrees is kept as well."""
    try:
        return before.changed(accepted)
    except DegreeNotAllowedError:
        if _SPACE not in kept:
            raise
    for name in _DEGREES:
        if accepted.pop(name, None) is not None:
            kept[name] = "it is none of the degrees that are allowed now"
    return before.changed(accepted)


def _why(others: list[str]) -> str:
    return f"{others[0]} asks for that" if others else "it was configured otherwise since"


def _changed(before: Experiment, name: str, have: str, text: str, caller: str) -> str:
    shown = _SHOWN.get(name, name)
    return f"task {before.name!r}: {shown} is {text} from now on, as {caller} asks; it was {have}"


def _stays(changed: Experiment, name: str, text: str, caller: str, why: str) -> str:
    have, shown = _text(name, _stored(changed, name)), _SHOWN.get(name, name)
    return (
        f"task {changed.name!r}: {shown} stays {have}, though {caller} asks for {text}: {why}; to "
        f"have the other, configure it by hand, or give each caller a task of its own"
    )


def _stored(experiment: Experiment, name: str) -> Any:
    return getattr(experiment if hasattr(experiment, name) else experiment.strategy, name)


def _text(name: str, value: Any) -> str:
    """A setting as people read it; equal texts are equal settings."""
    if name == "slo":
        value = service_levels(value)
    if isinstance(value, tuple):
        return ", ".join(map(repr, value)) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value)).removesuffix(".0")
    if name == "worker_types":
        value = WorkerTypes.of(value)
    if isinstance(value, WorkerTypes):
        return str(value) or "none"
    if isinstance(value, str | bool | SearchSpace):
        return str(value)
    return "none" if value is None else repr(value)
