"""Every block of every page is run by a test, or says why not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "examples").glob("*/README.md"),
]

RUN = {
    "README.md console": "tests/packaging/test_readme.py",
    "README.md python": "tests/packaging/test_readme.py",
    "README.md sh": "tests/packaging/test_readme.py",
    "docs/airflow.md dockerfile": "tests/integrations/airflow/test_airflow_docs.py",
    "docs/airflow.md python": "tests/integrations/airflow/test_airflow_docs.py",
    "docs/ax.md python": "tests/integrations/ax/test_ax_document.py",
    "docs/context.md python": "tests/context/test_context_document.py",
    "docs/original.md sh": "tests/perf/test_departures.py",
    "docs/planning.md python": "tests/planning/test_planning_document.py",
    "docs/planning.md sh": "tests/planning/test_planning_document.py",
    "docs/planning.md yaml": "tests/planning/test_planning_document.py",
    "docs/savings.md sh": "tests/report/test_savings.py",
    "docs/store.md python": "tests/packaging/test_documents.py",
    "docs/store.md sql": "tests/cli/test_maintenance.py",
    "docs/strategies.md python": "tests/examples/test_strategies_document.py",
    "docs/strategies.md sh": "tests/examples/test_strategies_document.py",
    "docs/worker-types.md python": "tests/cli/test_worker_type_options.py",
    "docs/worker-types.md sh": "tests/cli/test_worker_type_options.py",
    "examples/genome/README.md bash": "tests/examples/test_genome_readme.py",
}
NOT_RUN = {
    "README.md text": "output, a picture of folders, a crontab and a part of a DAG",
    "docs/airflow.md sh": "a connection, to a server that nobody has",
    "docs/architecture.md": "a picture",
    "docs/ax.md console": "installs the package",
    "docs/benchmarks.md": "takes minutes to hours; `make bench-docs` runs it",
    "docs/numerics.md": "a picture",
    "docs/planning.md": "a picture",
    "docs/strategies.md toml": "a part of another package's pyproject.toml",
    "examples/genome/README.md text": "takes a gigabyte from elsewhere, or minutes",
}


def kinds():
    """Page and language of every block."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        fences = re.findall(r"^ *```(.*)$", page.read_text(), re.M)
        yield from (f"{name} {language}".strip() for language in fences[::2])


def test_every_block_is_run_or_says_why_not():
    assert set(kinds()) == {*RUN, *NOT_RUN}


@pytest.mark.parametrize(("kind", "test"), RUN.items())
def test_blocks_are_run_where_it_is_said(kind, test):
    assert Path(kind.partition(" ")[0]).name in (ROOT / test).read_text()


@pytest.mark.parametrize(
    "code",
    re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/store.md").read_text(), re.M | re.S),
)
def test_code_of_the_store_page_runs_as_written(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/store.md", "exec"), {})  # the repository's own text
