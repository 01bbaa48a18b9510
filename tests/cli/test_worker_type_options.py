"""Worker types on the command line."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from arbo_bo import ArboOptimizer, WorkerType
from arbo_bo.cli import main
from arbo_bo.cli.values import parse_worker_types
from arbo_bo.errors import InvalidValueError
from arbo_bo.execution import StageCommand

DOCUMENT = (Path(__file__).parents[2] / "docs" / "worker-types.md").read_text()
SMALL = "small:cpus=1,memory=2GB,price=0.02"
LARGE = "large:cpus=4,memory=16GB,price=0.09,startup=40s,parallelism=1,2"
TYPES = ["--worker-type", SMALL, "--worker-type", LARGE]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/arbo.db"


@pytest.fixture
def arbo(capsys, url):
    def run(*arguments, store=url):
        capsys.readouterr()
        assert main([*arguments, "--store", store]) == 0
        return capsys.readouterr().out

    return run


def test_type_is_read_as_written():
    types = parse_worker_types([SMALL, LARGE])
    assert types["small"] == WorkerType(cpus=1, memory_gb=2, price_per_hour=0.02)
    assert types["large"] == WorkerType(4, 16, 0.09, 40, [1, 2])


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:", "a:cpus=4", "a:cpus=4,memory=x", "a:cpus=4,memory=1,speed=2",
     "a:cpus=4,cpus=4,memory=1", "a:4,16", ":cpus=1,memory=1", "a:cpus=1,memory=1,price=0"],
)  # fmt: skip
def test_type_is_refused_when_it_is_not_written_so(text):
    with pytest.raises(InvalidValueError):
        parse_worker_types([text])


def test_command_is_told_of_its_worker():
    command = StageCommand(("echo", "{worker_type}/{cpus}/{memory_gb}", "{parallelism}"))
    worker = ("m5.large", WorkerType(cpus=2, memory_gb=7.5))
    assert command.expand(3, worker) == [["echo", "m5.large/2/7.5", "3"]]
    assert command.expand(3) == [["echo", "{worker_type}/{cpus}/{memory_gb}", "3"]]


def test_suggestion_says_the_type_to_a_shell(arbo, url):
    found = arbo("suggest", "t", *TYPES)
    assert "parallelism=1\n" in found
    assert "worker_type=small\n" in found


def test_suggestion_as_json_says_the_type(arbo, url):
    assert json.loads(arbo("suggest", "t", *TYPES, "--json"))["worker_type"]


def test_types_stay_with_the_task_and_are_shown(arbo, url):
    arbo("configure", "t", *TYPES)
    assert "on small, large" in arbo("tasks")
    arbo("configure", "t", "--unset", "worker_type")
    assert not ArboOptimizer(url).experiment("t").worker_types


def test_budget_needs_no_other_price_where_types_have_one(arbo, url):
    arbo("configure", "t", *TYPES, "--max-cost", "0.5")
    assert ArboOptimizer(url).experiment("t").strategy.budget.price_per_worker_hour is None


def test_run_tells_its_command_of_the_type(url, tmp_path):
    out = tmp_path / "seen"
    arguments = ["run", "t", *TYPES, "--parallelism", "1:2", "--store", url, "--"]
    command = ["sh", "-c", f"echo {{parallelism}} {{worker_type}} {{cpus}} > {out}"]
    subprocess.run([sys.executable, "-m", "arbo_bo", *arguments, *command], check=True)
    assert out.read_text() == "1 small 1\n"
    assert ArboOptimizer(url).trials("t")[0].worker_type == "small"


def test_export_brings_types_and_trials_to_another_store(arbo, url, tmp_path):
    arbo("configure", "t", *TYPES)
    arbo("attach", "t", "--parallelism", "2", "--worker-type", "large", "--time", "9")
    exported = arbo("export", "--all")
    (tmp_path / "all.jsonl").write_text(exported)
    other = f"sqlite:///{tmp_path}/other.db"
    arbo("import", str(tmp_path / "all.jsonl"), store=other)
    there = ArboOptimizer(other)
    assert there.experiment("t").worker_types == ArboOptimizer(url).experiment("t").worker_types
    assert [str(t.arm) for t in there.trials("t")] == ["2 workers of large"]


def test_document_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (python,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    exec(compile(python, "docs/worker-types.md", "exec"), {})
    assert capsys.readouterr().out == "1 workers of m5.xlarge\n"
    (shell,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    url = f"sqlite:///{tmp_path}/shell.db"
    monkeypatch.setenv("ARBO_DATABASE_URL", url)
    assert main(shlex.split(shell.replace("\\\n", " "))[1:]) == 0
    with ArboOptimizer(url) as optimizer:
        assert {"small", "large"} == {t.worker_type for t in optimizer.trials("nightly")}
