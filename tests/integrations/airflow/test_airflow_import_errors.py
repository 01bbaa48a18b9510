"""DAGs that would do another thing than their author thinks are import errors that say why."""

import pytest
from airflow.dag_processing.dagbag import DagBag

HEAD = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, chain, task
from arbo_bo.integrations.airflow import arbo_stage, arbo_stages

@task
def work(chunk): pass

@task
def told(text): pass

"""


def import_errors(folder, code):
    (folder / "dag.py").write_text(HEAD + code)
    return list(DagBag(folder, bundle_name="copied").import_errors.values())


def stage_then(rest):
    publish = [] if "told" in rest else ["publish = EmptyOperator(task_id='publish')"]
    lines = [
        'with DAG("d", schedule=None):',
        'stage = arbo_stage("s")',
        "done = work.expand(chunk=stage.chunks)",
        *publish,
        *rest.splitlines(),
    ]
    return "\n    ".join(lines)


@pytest.mark.parametrize(
    "rest",
    [
        "stage.observe(done) >> publish",
        "publish << stage.observe(done)",
        "chain(done, stage.observe(done), publish)",
        "told.override(task_id='publish')(stage.observe(done).output)",
        "stage.observe(done) >> [publish]",
    ],
)
def test_dag_is_refused_when_a_task_follows_the_record(tmp_path, rest):
    (message,) = import_errors(tmp_path, stage_then(rest))
    assert "publish comes after record_s, which runs whether the stage failed or not" in message
    assert "write work >> publish" in message


@pytest.mark.parametrize(
    "rest",
    [
        "stage.observe(done)\ndone >> publish",
        "stage.observe(done) >> publish.as_teardown()",
    ],
)
def test_dag_is_loaded_when_what_follows_may_run_after_a_failure(tmp_path, rest):
    assert import_errors(tmp_path, stage_then(rest)) == []


@pytest.mark.parametrize(
    ("dag", "options", "work", "words"),
    [
        ("max_active_tasks=4", "parallelism=[8, 16]", "", "4 by max_active_tasks of the DAG"),
        ("", "parallelism=[32, 64]", "", "16 by max_active_tasks of the DAG"),
        ("", "parallelism=(4, 8)", "max_active_tis_per_dagrun=3", "max_active_tis_per_dagrun"),
        ("max_active_tasks=9999", "parallelism=[2000]", "", "1024 by max_map_length"),
        ("max_active_tasks=4", "pin=8", "", "is to run with 8 workers"),
        ("", "default_parallelism=8, dry_run=True, max_parallelism=4", "", "4 by max_parallelism"),
    ],
)
def test_dag_is_refused_when_its_degrees_cannot_run(tmp_path, dag, options, work, words):
    code = f"""
with DAG("d", schedule=None, {dag}):
    stage = arbo_stage("s", {options})
    stage.observe(work.override({work}).expand(chunk=stage.chunks))
"""
    (message,) = import_errors(tmp_path, code)
    assert "can run side by side" in message
    assert words in message


def test_dag_is_refused_when_the_stages_of_a_plan_have_no_room_beside_each_other(tmp_path):
    code = """
with DAG("d", schedule=None, max_active_tasks=10):
    stages = arbo_stages("p", {"a": {}, "b": {}}, parallelism=[8])
    stages.observe(work.expand(chunk=stages.chunks))
"""
    (message,) = import_errors(tmp_path, code)
    assert "5 by max_active_tasks" in message


def test_dag_is_loaded_when_some_allowed_degree_can_run(tmp_path):
    code = """
with DAG("d", schedule=None, max_active_tasks=4):
    stage = arbo_stage("s", parallelism=(1, 32), default_parallelism=16)
    stage.observe(work.expand(chunk=stage.chunks))
"""
    assert import_errors(tmp_path, code) == []
