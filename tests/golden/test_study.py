"""The tables of the study come out of the code; see README.md beside this file."""

import csv
from pathlib import Path
from statistics import fmean

import pytest
import torch

from arbo_bo import AmdahlLaw, Objective
from arbo_bo.models import fit_amdahl_gp


def table(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def number(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


@pytest.mark.parametrize("row", table("law.csv"), ids=lambda r: f"{r['task']}-{r['parallelism']}")
def test_runtime_is_the_studys(row):
    t1, p, s, expected, tolerance = number(
        row, "t1_s", "p", "parallelism", "expected_s", "tolerance_s"
    )
    assert AmdahlLaw(t1, p).runtime_s(s) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("row", table("residuals.csv"), ids=lambda r: r["law"] + r["parallelism"])
def test_residual_is_the_studys(row):
    p, s, measured, residual, tolerance = number(
        row, "p", "parallelism", "measured_s", "residual_s", "tolerance_s"
    )
    assert measured - AmdahlLaw(292, p).runtime_s(s) == pytest.approx(residual, abs=tolerance)


def test_mean_residual_falls_when_p_is_fitted():
    def mean_residual(p):
        rows = table("individuals.csv")[1:]
        law = AmdahlLaw(292, p)
        pairs = [number(row, "parallelism", "measured_s") for row in rows]
        return fmean(abs(time - law.runtime_s(s)) for s, time in pairs)

    p = AmdahlLaw(292, 1).parallel_fraction_from(4, 82)
    assert [mean_residual(1), mean_residual(p)] == pytest.approx([12, 4.5], abs=0.3)


@pytest.mark.parametrize("row", table("inverse.csv"), ids=lambda r: r["task"] + r["measured_s"])
def test_inverse_law_is_the_studys(row):
    t1, s, measured, p = number(row, "t1_s", "parallelism", "measured_s", "p")
    assert AmdahlLaw(t1, 0.5).parallel_fraction_from(s, measured) == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize("row", table("individuals.csv"), ids=lambda r: r["parallelism"])
def test_score_speedup_and_cost_are_the_studys(row):
    s, time, score, speedup, cost = number(
        row, "parallelism", "measured_s", "t_sqrt_s", "speedup", "worker_seconds"
    )
    assert Objective().score(time, int(s)) == pytest.approx(score, abs=0.06)
    assert 292 / time == pytest.approx(speedup, abs=0.005)
    assert Objective(cost_exponent=1).score(time, int(s)) == pytest.approx(cost)


@pytest.mark.parametrize(("urgency", "best"), [(0.5, 1), (1, 8), (2, 8)])
def test_urgency_chooses_the_studys_degree(urgency, best):
    objective = Objective(urgency=urgency)
    times = {int(r["parallelism"]): float(r["measured_s"]) for r in table("individuals.csv")}
    assert min(times, key=lambda s: objective.score(times[s], s)) == best


@pytest.mark.parametrize("row", table("pair.csv"), ids=lambda r: r["s_all"] + r["s_afr"])
def test_global_speedup_of_the_pair_is_the_studys(row):
    t_all, t_afr, speedup = number(row, "t_all_s", "t_afr_s", "global_speedup")
    assert 101 / max(t_all, t_afr) == pytest.approx(speedup, abs=0.01)


def test_load_slows_the_light_task_when_it_did_in_the_study():
    rows = [number(r, "s_afr", "s_all", "t_afr_s") for r in table("pair.csv")]
    X = torch.tensor([[s, 1.0, load] for s, load, _ in rows], dtype=torch.float64)
    times = torch.tensor([[t] for *_, t in rows], dtype=torch.float64)
    model = fit_amdahl_gp(X, times)
    quiet, busy = model.posterior(torch.tensor([[1.0, 1, 1], [1, 1, 4]])).mean.exp().flatten()
    assert quiet.item() == pytest.approx(55, rel=0.13)
    assert busy.item() == pytest.approx(69, rel=0.08)


@pytest.mark.parametrize("residual", ["multiplicative", "additive"])
def test_leave_one_out_error_is_small_on_individuals(residual):
    runs = [(1, 295), (1, 291), (1, 290), (2, 150), (4, 83), (6, 65), (8, 55)]
    X = torch.tensor([[s, 1.0, 0.0] for s, _ in runs])
    times = torch.tensor([[float(t)] for _, t in runs])

    def error(left_out):
        keep = X[:, 0] != left_out
        model = fit_amdahl_gp(X[keep], times[keep], residual=residual)
        mean = model.posterior(torch.tensor([[left_out, 1.0, 0.0]])).mean
        predicted = mean.exp() if residual == "multiplicative" else mean
        return abs(predicted.item() / times[~keep].item() - 1)

    assert fmean(error(s) for s in (2, 4, 6)) <= 0.05
