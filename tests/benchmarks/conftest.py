"""Small tables of measured runs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from bench_samples import SCAN, SORT, Row

from arbo_bo.benchmarks.sources.table import COLUMNS


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as a CSV and returns its path."""

    def write(
        rows: Sequence[Row], columns: Sequence[str] = COLUMNS, name: str = "trace.csv"
    ) -> Path:
        path = tmp_path / name
        lines = [",".join(columns)]
        lines += [",".join(str(r[c]) for c in columns) for r in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A data folder with one small table under each name that the suites know."""
    folder = tmp_path / "measured"
    folder.mkdir()
    lines = [",".join(COLUMNS)]
    lines += [",".join(str(r[c]) for c in COLUMNS) for r in (*SORT, *SCAN)]
    for name in ("scout", "multicloud_dask", "archer2", "stereomatch", "own"):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _no_data_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARBO_BENCH_DATA", raising=False)
