"""What arbo saved: the band covers the truth, and what is shown is what the library says."""

import csv
import io
import json
import re
import shlex
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from arbo_bo import AmdahlLaw, ArboOptimizer, Objective, Strategy, WorkerType
from arbo_bo.cli import main
from arbo_bo.experiment import Arm, Context, Experiment, Phase, SearchSpace, Trial, TrialStatus
from arbo_bo.report.savings import savings, task_savings

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = 8


def replay(seed, runs=12):
    """A task of a random law, its runs, and what they truly saved [worker h]."""
    rng = np.random.default_rng(seed)
    law = AmdahlLaw(rng.uniform(500, 5000), rng.uniform(0.6, 0.98), rng.uniform(5, 60))
    bends = dict(zip((1, 2, 4, 8, 16), rng.normal(0, 0.03, 5), strict=True))
    degrees = [1, DEFAULT, *rng.choice([2, 4, 16], 2), *rng.choice([2, 4], runs - 4)]
    trials, saved = [], 0.0
    for i, s in enumerate(map(int, degrees)):
        expected = {d: law.runtime_s(d) * np.exp(bends[d]) for d in bends}
        slow = np.exp(rng.normal(0, 0.06))
        trials.append(completed(i, s, expected[s] * slow))
        saved += (DEFAULT * expected[DEFAULT] - s * expected[s]) * slow / 3600
    return trials, saved


def completed(i, s, time, phase=Phase.OPTIMIZE, **values):
    ended = START + timedelta(days=i)
    return Trial(
        "t", i, TrialStatus.COMPLETED, Arm(s), Context(), phase,
        execution_time_s=float(time), finished_at=ended, **values,
    )  # fmt: skip


def task(**values):
    space = SearchSpace((1, 2, 4, 8, 16))
    return Experiment("t", search_space=space, default_parallelism=DEFAULT, **values)


def test_band_covers_the_true_saving_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        trials, saved = replay(seed)
        (found,) = task_savings(task(), trials)
        covered += found.worker_hours.low <= saved <= found.worker_hours.high
    assert 0.85 <= covered / 200 <= 0.95, covered


def test_run_at_the_default_degree_saves_exactly_nothing():
    (found,) = task_savings(task(), [completed(i, DEFAULT, 100 + i) for i in range(5)])
    assert asdict(found.worker_hours) == {"mean": 0, "low": 0, "high": 0}


def test_parts_add_up_and_the_last_point_is_the_whole():
    trials, _ = replay(3)
    (found,) = task_savings(task(objective=Objective(price_per_worker_hour=2.0)), trials)
    parts = found.measured.mean + found.extrapolated.mean
    assert parts == pytest.approx(found.worker_hours.mean)
    assert found.cumulative[-1].worker_hours.mean == pytest.approx(found.worker_hours.mean)
    assert found.cumulative[-1].worker_hours.low == pytest.approx(found.worker_hours.low)
    assert found.money.mean == pytest.approx(2 * found.worker_hours.mean)


def test_default_that_never_ran_is_extrapolated():
    trials = [completed(i, s, 100 / s) for i, s in enumerate((1, 2, 4, 2, 4))]
    (found,) = task_savings(task(), trials)
    assert found.measured.mean == 0
    assert found.extrapolated.mean == found.worker_hours.mean


def test_pinned_runs_would_have_saved():
    trials = [completed(i, s, 100 / s + 50) for i, s in enumerate((1, 8, 2, 4))]
    trials += [completed(4, 8, 62.5, Phase.FIXED, recommended_parallelism=2)]
    real, would = task_savings(task(), trials)
    assert (real.would_have, real.runs, would.would_have, would.runs) == (False, 4, True, 1)
    assert would.worker_hours.mean == pytest.approx((8 * 62.5 - 2 * 100) / 3600, rel=0.1)


def test_only_runs_since_a_moment_count():
    trials, _ = replay(1)
    (found,) = task_savings(task(), trials, START + timedelta(days=10))
    assert [point.trial_index for point in found.cumulative] == [10, 11]


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    with ArboOptimizer(url) as arbo:
        for name, default in (("saves <b>", 16), ("loses", 1)):
            law = AmdahlLaw(100.0, 0.5, 2.0)
            arbo.configure_experiment(name, parallelism=[1, 4, 16], default_parallelism=default)
            for _ in range(4):
                decision = arbo.suggest(name)
                time = law.runtime_s(decision.parallelism)
                arbo.complete_trial(name, decision, execution_time_s=time)
        yield url


def printed(capsys, *arguments):
    assert main(["savings", *arguments]) == 0
    return capsys.readouterr().out


def test_what_is_printed_is_what_the_library_says(store, capsys):
    with ArboOptimizer(store) as arbo:
        found = savings(arbo)
    assert found[0].worker_hours.mean <= found[-1].worker_hours.mean
    documents = json.loads(printed(capsys, "--json", "--store", store))
    assert documents == json.loads(json.dumps([asdict(f) for f in found], default=str))
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "--csv", "--store", store))))
    assert [float(r["worker_hours_low"]) for r in rows] == [f.worker_hours.low for f in found]
    told = printed(capsys, "--store", store)
    assert "loses" in told
    assert "saves <b>" in told


def test_dry_run_saves_nothing_and_would_have(store, capsys):
    with ArboOptimizer(store) as arbo:
        arbo.configure_experiment("dry", parallelism=[1, 4, 16], strategy=Strategy(dry_run=True))
        for _ in range(3):
            decision = arbo.suggest("dry")
            arbo.complete_trial("dry", decision, execution_time_s=9.0)
    assert "would have" in printed(capsys, "dry", "--store", store)


def test_empty_store_and_unknown_task_have_clear_answers(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    ArboOptimizer(url).store.upgrade()
    assert "nothing to compare" in printed(capsys, "--store", url)
    assert main(["savings", "nobody", "--store", url]) != 0
    assert "nobody" in capsys.readouterr().err
    assert main(["savings", "--csv", "--json", "--store", url]) == 2


def test_commands_of_the_page_run_as_written(tmp_path, monkeypatch, capsys):
    page = Path(__file__).parents[2] / "docs/savings.md"
    (block,) = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)
    url = f"sqlite:///{tmp_path / 'arbo.db'}"
    with ArboOptimizer(url) as arbo:
        arbo.configure_experiment("nightly-report")
    monkeypatch.setenv("ARBO_DATABASE_URL", url)
    for line in block.splitlines():
        assert main(shlex.split(line)[1:]) == 0
    assert capsys.readouterr().out.endswith("[]\n")


def test_each_run_is_compared_and_paid_on_its_own_worker_type():
    types = {"big": WorkerType(4, 16, 2.0), "small": WorkerType(1, 4, 0.5)}
    arms = [(s, kind) for kind in types for s in (1, DEFAULT, 2, 4)]
    trials = [
        replace(completed(i, s, 1000 / s + 100), arm=Arm(s, kind))
        for i, (s, kind) in enumerate(arms)
    ]
    (found,) = task_savings(task(worker_types=types), trials)
    assert found.extrapolated.mean == 0
    (big,) = task_savings(task(worker_types={"big": types["big"]}), trials)
    assert big.runs == 4
    assert big.money.mean == pytest.approx(2 * big.worker_hours.mean)
