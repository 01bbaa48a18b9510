"""The DAGs of examples/airflow, with the programs of examples/genome."""

import subprocess
import sys
from pathlib import Path

import pytest

GENOME = Path(__file__).parents[3] / "examples" / "genome"


def program(name, *arguments):
    command = [sys.executable, str(GENOME / name), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def vcf(tmp_path):
    path = tmp_path / "small.vcf"
    program("generate_vcf.py", "--output", path, "--variants", 300, "--samples", 20)
    return path


def test_genome_dag_gives_the_serial_tables_when_its_stages_run_in_chunks(
    airflow, arbo, vcf, tmp_path
):
    parallel, serial = tmp_path / "parallel", tmp_path / "serial"
    panel = vcf.with_suffix(".panel")
    conf = {"vcf": str(vcf), "panel": str(panel), "output": str(parallel)}
    run = airflow.trigger("genome", **conf).wait()
    assert run.state == "success"

    program("individuals.py", "--vcf", vcf, "--output", serial)
    program("individuals_merge.py", "--input", serial, "--chunks", 1)
    program("sifting.py", "--vcf", vcf, "--output", serial)
    for population in ("ALL", "AFR", "EUR"):
        chosen = ("--population", population)
        program("frequency.py", "--vcf", vcf, "--panel", panel, *chosen, "--output", serial)
        program("merge.py", "--input", serial, *chosen, "--chunks", 1)
    tables = sorted(path.name for path in serial.iterdir() if "chunk" not in path.name)
    assert len(tables) == 5
    for name in tables:
        assert (parallel / name).read_bytes() == (serial / name).read_bytes(), name

    tasks = ("genome.individuals", "genome.frequency_ALL", "frequency_light")
    trials = [trial for task in tasks for trial in arbo.trials(task)]
    assert [trial.parallelism for trial in trials[:3]] == [3, 3, 2]
    assert [trial.status for trial in trials] == ["COMPLETED"] * 4
    assert {trial.input_size for trial in trials} == {vcf.stat().st_size}
    assert arbo.trials("frequency_light")[1].cluster_load >= 2


def test_handwritten_dag_completes_its_trial_when_it_runs(airflow, arbo):
    first = airflow.trigger("handwritten").wait()
    second = airflow.trigger("handwritten").wait()
    trials = arbo.trials("handwritten")
    assert [run.state for run in (first, second)] == ["success"] * 2
    assert [len(run.instances("work")) for run in (first, second)] == [1, 2]
    assert [trial.status for trial in trials] == ["COMPLETED"] * 2
    assert {trial.time_measure for trial in trials} == {"slowest"}
