"""Workflows from files: YAML or JSON of our own, and WfFormat.

Source of WfFormat: https://github.com/wfcommons/WfFormat, version 1.5, as Pegasus and Nextflow
executions are recorded in it.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arbo_bo._parse import parse_size, parse_time_s
from arbo_bo.errors import MissingExtraError, WorkflowError
from arbo_bo.experiment import validation
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.planning.workflow import Workflow

WFFORMAT_VERSIONS = ("1.4", "1.5")
YAML_SUFFIXES = (".yaml", ".yml")
_WORKFLOW = {"name", "capacity", "bandwidth", "keep_warm", "worker_types", "stages"}
_STAGE = {
    "name",
    "after",
    "parallelism",
    "worker_types",
    "input_size",
    "experiment",
    "idempotent",
    "known_time",
    "annotations",
}
SHORT_S = 0.5
"""What took 0 s by a recorder's clock, whose step is a second."""
_NUMBER = re.compile(r"(?:_ID)?_?[0-9]+$")


def load_workflow(path: str | os.PathLike[str]) -> Workflow:
    """Reads a workflow from a file.

    Args:
        path: YAML or JSON with ``name`` and ``stages``, or WfFormat.

    Raises:
        WorkflowError: It cannot be read, is no workflow, or the workflow is not sound; the message
            names the stage.
        MissingExtraError: It is YAML, and PyYAML is not installed.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        problem = getattr(err, "strerror", None) or "it is not text"
        raise WorkflowError(f"the workflow {file} cannot be read: {problem}") from err
    document = _yaml(text, file) if file.suffix.lower() in YAML_SUFFIXES else _json(text, file)
    try:
        found = workflow_of(document, file.stem)
        found.ordered()
    except ValueError as err:
        raise WorkflowError(f"{file}: {err}") from err
    return found


def _json(text: str, file: Path) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        where = f" at line {err.lineno}" if isinstance(err, json.JSONDecodeError) else ""
        raise WorkflowError(f"{file} is no JSON, or ends too early{where}") from err


def _yaml(text: str, file: Path) -> Any:
    try:
        import yaml
    except ModuleNotFoundError as err:
        raise MissingExtraError(
            f"{file} is YAML, and PyYAML is not installed: pip install 'arbo-bo[planning]', or "
            "give the workflow as JSON",
            name="yaml",
        ) from err
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as err:
        mark = getattr(err, "problem_mark", None)
        where = "" if mark is None else f" at line {mark.line + 1}"
        raise WorkflowError(f"{file} is no YAML, or ends too early{where}") from err


def workflow_of(document: Any, name: str = "workflow") -> Workflow:
    """The workflow of a document that was read.

    Args:
        document: Ours, or WfFormat.
        name: Its name where the document has none.

    Raises:
        WorkflowError: It is no workflow.
        InvalidValueError: A value is outside its domain.
    """
    if not isinstance(document, Mapping):
        raise WorkflowError(f"a workflow must be a mapping, got {validation.short(document)}")
    if "schemaVersion" in document or "workflow" in document:
        return _wfformat(document, name)
    _known("the workflow", document, _WORKFLOW)
    found = Workflow(
        document.get("name", name),
        capacity=document.get("capacity"),
        bandwidth=_quantity("bandwidth", document.get("bandwidth"), parse_size),
        keep_warm_s=_quantity("keep_warm", document.get("keep_warm"), parse_time_s),
    )
    types = _types("the workflow", document.get("worker_types") or {})
    for number, stage in enumerate(_stages(document.get("stages")), 1):
        _add(found, stage, number, types)
    return found


def _stages(given: Any) -> list[Any]:
    """A list of stages, or a mapping from their names."""
    if isinstance(given, Mapping):
        return [{"name": name, **(stage or {})} for name, stage in given.items()]
    if not isinstance(given, list):
        raise WorkflowError(
            f"stages must be a list, or a mapping by name, got {validation.short(given)}"
        )
    return given


def _add(found: Workflow, stage: Any, number: int, types: Mapping[str, WorkerType]) -> None:
    if not isinstance(stage, Mapping) or "name" not in stage:
        raise WorkflowError(f"stage {number} must be a mapping with a name")
    name = stage["name"]
    place = f"stage {name!r}"
    _known(place, stage, _STAGE)
    after = stage.get("after") or []
    if isinstance(after, str):
        after = [after]
    if not isinstance(after, list) or not all(isinstance(p, str) for p in after):
        raise WorkflowError(f"{place}: after must be a list of names")
    found.stage(
        name,
        after=after,
        parallelism=_degrees(stage.get("parallelism")),
        worker_types=_types(place, stage["worker_types"]) if "worker_types" in stage else types,
        input_size=stage.get("input_size"),
        experiment=stage.get("experiment"),
        idempotent=stage.get("idempotent") is True,
        annotations=stage.get("annotations") or (),
        known_time_s=_quantity(f"{place}: known_time", stage.get("known_time"), parse_time_s),
    )


def _known(place: str, given: Mapping[Any, Any], known: set[str]) -> None:
    unknown = [str(key) for key in given if key not in known]
    if unknown:
        raise WorkflowError(
            f"{place} has unknown {', '.join(sorted(unknown))}; known are "
            f"{', '.join(sorted(known))}"
        )


def _degrees(given: Any) -> Any:
    """``"1:32"`` is a range, a list a list, one number one degree."""
    if isinstance(given, str):
        try:
            low, high = given.split(":")
            return int(low), int(high)
        except ValueError as err:
            raise WorkflowError(
                f"parallelism must be a range such as '1:32' or a list, got {given!a}"
            ) from err
    return [given] if isinstance(given, int) else given


def _quantity(name: str, given: Any, read: Any) -> float | None:
    """A number, or a text with a unit."""
    if given is None or isinstance(given, (int, float)):
        return given
    try:
        return float(read(str(given).removesuffix("/s")))
    except ValueError as err:
        raise WorkflowError(f"{name} has an unknown unit: {validation.short(given)}") from err


def _types(place: str, given: Any) -> dict[str, WorkerType]:
    if not isinstance(given, Mapping):
        raise WorkflowError(
            f"{place}: worker_types must be a mapping, got {validation.short(given)}"
        )
    found = {}
    for name, values in given.items():
        try:
            degrees = {"parallelism": _degrees(values.get("parallelism"))}
            found[name] = WorkerType(**{**values, **degrees})
        except (TypeError, ValueError, AttributeError) as err:
            raise WorkflowError(f"{place}: worker type {name!r}: {err}") from err
    return found


def _wfformat(document: Mapping[str, Any], name: str) -> Workflow:
    """A recorded execution: each task one stage, tasks of one program one experiment.

    The run time that was recorded is what is known of a task without history; it is a worker's.
    """
    version = document.get("schemaVersion")
    if str(version) not in WFFORMAT_VERSIONS:
        raise WorkflowError(
            f"WfFormat {', '.join(WFFORMAT_VERSIONS)} can be read, got version "
            f"{validation.short(version)}"
        )
    try:
        return _recorded(document, str(document.get("name") or name))
    except (KeyError, TypeError, AttributeError) as err:
        raise WorkflowError(f"the WfFormat document lacks {err}, or ends too early") from err


def _recorded(document: Mapping[str, Any], name: str) -> Workflow:
    workflow = document["workflow"]
    specification = workflow["specification"]
    runtimes = {
        task["id"]: task["runtimeInSeconds"]
        for task in workflow.get("execution", {}).get("tasks", [])
    }
    sizes = {f["id"]: f["sizeInBytes"] for f in specification.get("files", [])}
    found = Workflow(name)
    for task in specification["tasks"]:
        size = sum(sizes.get(file, 0) for file in task.get("inputFiles", []))
        runtime = runtimes.get(task["id"])
        found.stage(
            task["id"],
            after=task["parents"],
            experiment=f"{name}.{_program(task)}",
            parallelism=[1],
            input_size=float(size) or None,
            known_time_s=SHORT_S if runtime == 0 else runtime,
        )
    return found


def _program(task: Mapping[str, Any]) -> str:
    """What a task is an instance of: its name without the instance's number."""
    given = str(task["name"])
    return _NUMBER.sub("", given) or given
