"""Policies that choose machine type and count, on a small table of measured times."""

import csv
from statistics import fmean

import pytest
import worker_types

TYPES = {"c4.large": (2, 0.1), "m4.xlarge": (4, 0.2), "r4.2xlarge": (8, 0.53)}
COUNTS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 32)


@pytest.fixture
def job(tmp_path):
    with (tmp_path / "scout.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["task", "context", "parallelism", "input_size", "execution_time_s",
             "price_per_worker_hour"]
        )  # fmt: skip
        for name, (cpus, price) in TYPES.items():
            for s in COUNTS:
                table.writerow(["sort", name, s, 1, 20 + 6000 * (0.02 + 0.98 / (s * cpus)), price])
    (found,) = worker_types.jobs(tmp_path / "scout.csv")
    return found


def test_table_is_read_with_what_its_types_have(job):
    assert len(job.time_s) == len(TYPES) * len(COUNTS)
    assert (job.types["r4.2xlarge"].cpus, job.types["r4.2xlarge"].memory_gb) == (8, 61)


@pytest.mark.parametrize("policy", ["arbo", "CherryPick", "random"])
def test_policy_takes_measured_arms_and_the_same_again(job, policy):
    found = worker_types.regrets(job, policy, seed=1, runs=8)
    assert len(found) == 8
    assert min(found) >= 0
    assert worker_types.regrets(job, policy, seed=1, runs=8) == found


def test_arbo_pays_less_than_chance(job):
    arbo, chance = (worker_types.regrets(job, p, seed=0) for p in ("arbo", "random"))
    assert fmean(arbo[2:]) < 0.5 * fmean(chance[2:])
