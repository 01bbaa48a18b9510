"""The report: one file that runs nothing, asks for nothing and says what the library says."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from arbo_bo import AmdahlLaw, ArboOptimizer
from arbo_bo._format import format_time
from arbo_bo.cli import main
from arbo_bo.report.page import page
from arbo_bo.report.savings import savings
from arbo_bo.report.tasks import tasks

HOSTILE = "<script>alert(1)</script>\"'&"
REASON = "x" * 1_000_000 + "\x1b[31m<img src=http://elsewhere.example/x onerror=alert(2)>"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update",
    "--enable-logging=stderr",
]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    with ArboOptimizer(url) as arbo:
        for name in ("plain", HOSTILE):
            arbo.configure_experiment(name, parallelism=[1, 4, 16], default_parallelism=16)
            for _ in range(4):
                decision = arbo.suggest(name)
                time = AmdahlLaw(100.0, 0.5, 2.0).runtime_s(decision.parallelism)
                arbo.complete_trial(name, decision, execution_time_s=time)
        arbo.mark_trial_failed(HOSTILE, arbo.suggest(HOSTILE), reason=REASON)
    return url


@pytest.fixture
def written(store, tmp_path):
    path = tmp_path / "report.html"
    assert main(["report", "--store", store, "-o", str(path)]) == 0
    return path


def test_foreign_text_stays_text(written):
    text = written.read_text()
    assert "<script" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert HOSTILE in unescape(text)
    assert len(text) < 100_000


def test_control_characters_and_long_reasons_are_cut(store):
    with ArboOptimizer(store) as arbo:
        (view, _) = tasks(arbo)
        told = replace(view.trials[-1], failure_reason="\x1b[31m<img src=x>" + "x" * 1_000_000)
        text = page([replace(view, trials=(told,))], [], datetime.now(UTC))
    assert "\x1b" not in text
    assert "�[31m&lt;img src=x&gt;" in text
    assert len(text) < 10_000


def test_page_allows_nothing_from_elsewhere(written):
    text = written.read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"<[^>]*\s(src|style|on\w+)=", text)
    assert set(re.findall(r'href="([^"]*)"', text)) == {"#task-0", "#task-1"}


def test_failing_task_comes_first(store):
    with ArboOptimizer(store) as arbo:
        assert [view.experiment.name for view in tasks(arbo)] == [HOSTILE, "plain"]


@pytest.mark.chromium
def test_browser_shows_the_librarys_numbers_without_a_complaint(store, written, tmp_path):
    program = shutil.which("chromium")
    assert program is not None
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [program, *FLAGS, profile, "--dump-dom", written.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    cells = re.findall(r"<td>([^<]*)</td>", done.stdout)
    with ArboOptimizer(store) as arbo:
        for view in tasks(arbo):
            for trial in view.trials:
                if trial.execution_time_s is not None:
                    assert format_time(trial.execution_time_s) in cells
        for each in savings(arbo):
            hours = each.worker_hours
            assert f"{hours.mean:.3g} ({hours.low:.3g} to {hours.high:.3g})" in cells


def test_empty_store_unknown_task_and_closed_folder_have_clear_answers(tmp_path, capsys, store):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    ArboOptimizer(url).store.upgrade()
    path = tmp_path / "empty.html"
    assert main(["report", "--store", url, "-o", str(path)]) == 0
    assert "There is no task yet" in path.read_text()
    assert main(["report", "nobody", "--store", url, "-o", str(path)]) != 0
    assert "nobody" in capsys.readouterr().err
    assert main(["report", "--store", store, "-o", str(tmp_path / "no" / "r.html")]) != 0
    assert "cannot be written" in capsys.readouterr().err
