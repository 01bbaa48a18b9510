"""What a user copies from docs/airflow.md and examples/airflow is loaded by Airflow."""

import re
import runpy
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.dag_processing.dagbag import DagBag

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "airflow.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
EXAMPLES = [path.read_text() for path in sorted((ROOT / "examples" / "airflow").glob("*.py"))]


def loaded(folder, code):
    (folder / "copied_dag.py").write_text(code)
    return DagBag(folder, bundle_name="copied")


@pytest.mark.parametrize("code", [*SNIPPETS, *EXAMPLES], ids=lambda code: code.splitlines()[0][:40])
def test_dag_is_loaded_when_it_is_copied(tmp_path, code):
    bag = loaded(tmp_path, code)
    assert bag.import_errors == {}
    assert len(bag.dags) == 1


def test_import_error_says_what_to_do_when_a_stage_is_not_observed(tmp_path):
    code = SNIPPETS[0].replace("stage.observe(work)", "pass")
    (message,) = loaded(tmp_path, code).import_errors.values()
    assert "add stage.observe(work) after the mapped task" in message


def test_image_is_built_from_the_checkout_since_no_index_has_the_package():
    (dockerfile,) = re.findall(r"^```dockerfile\n(.*?)^```", PAGE, re.M | re.S)
    (folder,) = re.findall(r"^COPY .*\. (\S+)$", dockerfile, re.M)
    (installed,) = re.findall(r'"(\S+)\[airflow\]"', dockerfile)
    assert installed == folder
    assert (
        "airflow"
        in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )


def test_handwritten_stage_runs_when_the_store_is_down(monkeypatch, tmp_path, capsys):
    source = ROOT / "examples" / "airflow" / "handwritten.py"
    handwritten = runpy.run_path(str(source))
    left = {}

    def xcom_push(key, value):
        left[key] = value

    ti = SimpleNamespace(
        id="i", dag_id="d", run_id="r", xcom_push=xcom_push, xcom_pull=lambda **_: None
    )
    context = {"ti": ti, "params": {"rows": 7.0}}
    monkeypatch.setenv("ARBO_DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder.db")
    plan, record = (handwritten["dag"].get_task(name) for name in ("plan", "record"))
    for task in (plan, record):
        monkeypatch.setitem(
            task.python_callable.__globals__, "get_current_context", lambda: context
        )
    assert plan.python_callable() == [[0, 2], [1, 2]]
    assert left == {"trial_index": None}
    assert "no advice, 2 workers: " in capsys.readouterr().out
    assert record.python_callable([]) is None
