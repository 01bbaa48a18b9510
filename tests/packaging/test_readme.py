"""What a user types from the README, to the letter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arbo_bo import ArboOptimizer

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


def console(program):
    lines = re.findall(r"^\$ (.*)", "\n".join(blocks("console")), re.M)
    return [line for line in lines if line.startswith(program)]


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.splitlines()[-1][:30])
def test_python_runs_as_written(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"run_my_stage": lambda workers: None}
    exec(compile(code, "README.md", "exec"), names)  # what is run is the repository's own text


def test_python_is_well_typed(tmp_path):
    typed = [code for code in blocks("python") if "import torch" not in code]
    for number, code in enumerate(typed):
        stub = "def run_my_stage(workers: int) -> None: ...\n" if "run_my_stage" in code else ""
        (tmp_path / f"block_{number}.py").write_text(stub + code)
    # What `make check` has left saves half a minute.
    cache = ROOT / ".mypy_cache" if (ROOT / ".mypy_cache").exists() else tmp_path
    options = ["--strict", "--config-file", ROOT / "pyproject.toml", "--cache-dir", cache]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, options), *map(str, tmp_path.glob("block_*.py"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_tune_commands_run_as_written(tmp_path):
    (tmp_path / "big.txt").write_text("b\na\n" * 100)
    (tmp_path / "count.py").write_text("import sys; assert len(sys.argv) == 5")
    commands = console("arbo tune")
    assert len(commands) == 2
    for command in commands:
        run(command, tmp_path)
    with ArboOptimizer(f"sqlite:///{tmp_path / 'arbo.db'}") as arbo:
        assert [(e.name, e.model.sample_count) for e in arbo.experiments()] == [
            ("count", 12),
            ("sort", 8),
        ]


def test_bench_commands_run_as_written(tmp_path):
    commands = console("arbo bench")
    assert len(commands) == 2
    for command in commands:
        run(command, tmp_path)
    assert (tmp_path / "results").is_dir()


MAKEFILE = "nightly all:\n\ttest ! -e broken\nclean:\n\ttouch cleaned\n"


def test_run_commands_run_as_written(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    run(f"set -e\n{blocks('sh')[0]}", tmp_path)
    assert (tmp_path / "cleaned").exists()
    with ArboOptimizer(f"sqlite:///{tmp_path / 'arbo.db'}") as arbo:
        statuses = [arbo.trials(task)[0].status for task in ("nightly", "build")]
    assert statuses == ["COMPLETED", "COMPLETED"]


@pytest.mark.parametrize(("broken", "status"), [(False, "COMPLETED"), (True, "FAILED")])
def test_shell_script_runs_as_written(tmp_path, broken, status):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    if broken:
        (tmp_path / "broken").touch()
    run(f"set -e\n{blocks('sh')[1]}", tmp_path)
    with ArboOptimizer(f"sqlite:///{tmp_path / 'arbo.db'}") as arbo:
        assert arbo.trials("nightly")[0].status == status


def test_shell_script_runs_as_written_when_the_database_is_down(tmp_path, journal):
    (tmp_path / "Makefile").write_text("nightly:\n\ttouch made\n")
    run(f"set -e\n{blocks('sh')[1]}", tmp_path, "postgresql://a@127.0.0.1:1/x")
    assert (tmp_path / "made").exists()


def test_make_targets_that_are_named_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^\$ |`)make ([a-z][a-z-]+)", TEXT, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_tree_names_what_is_there():
    (tree,) = (block for block in blocks("text") if block.startswith("arbo_bo/"))
    for line in tree.splitlines():
        name = line.split()[0]
        base = ROOT / "arbo_bo" if line.startswith("  ") else ROOT
        assert (base / name).exists(), name


def run(script, folder, store=None):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {
        "ARBO_DATABASE_URL": store or f"sqlite:///{folder / 'arbo.db'}",
        "PATH": path,
    }
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
