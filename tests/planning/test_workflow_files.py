"""YAML, JSON and WfFormat."""

import json

import pytest

from arbo_bo.errors import WorkflowError
from arbo_bo.planning import load_workflow

YAML = """
name: genome
capacity: 64
keep_warm: 5m
worker_types:
  large: {cpus: 4, memory_gb: 16, price_per_hour: 0.2, startup_s: 30}
stages:
  individuals: {parallelism: "1:32", input_size: 2.1GB}
  merge: {after: individuals, parallelism: [1], experiment: shared.merge}
"""


def recorded(**changes):
    tasks = [
        {"name": "split_ID01", "id": "split_ID01", "parents": [], "inputFiles": ["in"]},
        {"name": "work_ID02", "id": "work_ID02", "parents": ["split_ID01"], "inputFiles": []},
        {"name": "work_ID03", "id": "work_ID03", "parents": ["split_ID01"], "inputFiles": []},
    ]
    times = [{"id": t["id"], "runtimeInSeconds": 12.5} for t in tasks]
    return {
        "name": "recorded",
        "schemaVersion": "1.5",
        "workflow": {
            "specification": {"tasks": tasks, "files": [{"id": "in", "sizeInBytes": 1000}]},
            "execution": {"tasks": times},
        },
        **changes,
    }


def written(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_yaml_names_stages_degrees_types_and_units(tmp_path):
    wf = load_workflow(written(tmp_path / "w.yaml", YAML))
    assert (wf.name, wf.capacity, wf.keep_warm_s) == ("genome", 64, 300.0)
    assert wf["individuals"].parallelism.largest == 32
    assert wf["individuals"].worker_types["large"].startup_s == 30
    assert (wf["merge"].after, wf["merge"].experiment) == (("individuals",), "shared.merge")


def test_json_with_a_list_of_stages_is_the_same(tmp_path):
    document = {"name": "w", "stages": [{"name": "a", "parallelism": [1, 2]}, {"name": "b"}]}
    assert len(load_workflow(written(tmp_path / "w.json", document))) == 2


def test_recorded_execution_keeps_one_task_a_program(tmp_path):
    wf = load_workflow(written(tmp_path / "w.json", recorded()))
    assert wf.tasks == ("recorded.split", "recorded.work")
    assert wf["work_ID03"].after == ("split_ID01",)
    assert (wf["split_ID01"].known_time_s, wf["split_ID01"].input_size) == (12.5, 1000.0)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (json.dumps(recorded())[:200], "ends too early"),
        (recorded(schemaVersion="9.9"), "version '9.9'"),
        (recorded(schemaVersion=None), "version"),
        (recorded(workflow={"specification": {}}), "tasks"),
        ([1, 2], "must be a mapping"),
        ({"name": "w", "stages": []}, "has no stage"),
        ({"name": "w", "stages": {"a": {"aftr": []}}}, "'a' has unknown aftr"),
        ({"name": "w", "stages": {"a": {"known_time": "3 parsecs"}}}, "'a'.*unknown unit"),
        ({"name": "w", "stages": {"a": {"worker_types": {"t": {"cpu": 1}}}}}, "'a'.*'t'"),
        ({"name": "w", "stages": {"a": {"after": ["b"]}}}, "'a' comes after 'b'"),
    ],
)
def test_file_that_is_no_sound_workflow_is_refused_in_one_error(tmp_path, document, message):
    with pytest.raises(WorkflowError, match=message):
        load_workflow(written(tmp_path / "w.json", document))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(WorkflowError, match=r"none\.json cannot be read"):
        load_workflow(tmp_path / "none.json")
