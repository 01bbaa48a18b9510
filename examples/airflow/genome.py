"""The 1000-genome workflow as a DAG: before each parallel stage arbo decides its workers.

individuals (mapped) >> individuals_merge, and sifting, then the allele frequencies of each
population: ALL is heavy and learns by itself, the light populations share one experiment and one
plan task. On a cluster the programs run in a KubernetesPodOperator instead of a BashOperator; see
docs/airflow.md.
"""

import sys
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from arbo_bo.integrations.airflow import arbo_stage, arbo_stages

PROGRAMS = Path(__file__).resolve().parents[1] / "genome"
LIGHT_POPULATIONS = ("AFR", "EUR")
CHUNK = "--chunk-id {chunk_id} --chunks {chunks}"
VCF, OUTPUT = "--vcf '{{ params.vcf }}'", "--output '{{ params.output }}'"
FREQUENCY = f"frequency.py {VCF} --panel '{{{{ params.panel }}}}' {CHUNK} {OUTPUT}"


def command(line: str) -> str:
    """Returns the shell command of a program of examples/genome."""
    return f"{sys.executable} {PROGRAMS}/{line}"


def merge(population: str, chunks: object) -> BashOperator:
    """Joins one population's chunks; as text `chunks` is a template of the degree that was used."""
    line = f"merge.py --input '{{{{ params.output }}}}' --population {population} --chunks {chunks}"
    return BashOperator(task_id=f"merge_{population}", bash_command=command(line))


def vcf_bytes(context) -> int:
    """Returns the size of this run's input."""
    return Path(context["params"]["vcf"]).stat().st_size


# A serial run of a heavy stage costs hours, so the first run takes the default.
SETTINGS = {"parallelism": (1, 16), "baseline": False, "input_size": vcf_bytes}

with DAG(
    "genome",
    schedule=None,
    params={"vcf": "/data/chr22.vcf", "panel": "/data/chr22.panel", "output": "/data/out"},
    doc_md=__doc__,
):
    stage = arbo_stage(
        "individuals",
        arguments=command(f"individuals.py {VCF} {CHUNK} {OUTPUT}"),
        default_parallelism=3,
        **SETTINGS,
    )
    individuals = BashOperator.partial(task_id="individuals").expand(bash_command=stage.arguments)
    stage.observe(individuals)
    line = f"individuals_merge.py --input '{{{{ params.output }}}}' --chunks {stage.parallelism}"
    individuals_merge = BashOperator(task_id="individuals_merge", bash_command=command(line))
    sifting = BashOperator(task_id="sifting", bash_command=command(f"sifting.py {VCF} {OUTPUT}"))
    individuals >> individuals_merge

    heavy = arbo_stage(
        "frequency_ALL",
        arguments=command(f"{FREQUENCY} --population ALL"),
        default_parallelism=3,
        **SETTINGS,
    )
    light = arbo_stages(
        "frequency_light",
        {
            f"frequency_{population}": {
                "experiment": "frequency_light",
                "arguments": command(f"{FREQUENCY} --population {population}"),
            }
            for population in LIGHT_POPULATIONS
        },
        default_parallelism=2,
        **SETTINGS,
    )
    heavy_work = BashOperator.partial(task_id="frequency_ALL").expand(bash_command=heavy.arguments)
    light_work = BashOperator.partial(task_id="frequency").expand(bash_command=light.arguments)
    heavy.observe(heavy_work)
    light.observe(light_work)
    # The decision is taken late, so that it sees the load of the moment before the stage.
    [individuals_merge, sifting] >> heavy.plan
    [individuals_merge, sifting] >> light.plan
    heavy_work >> merge("ALL", heavy.parallelism)
    for population in LIGHT_POPULATIONS:
        light_work >> merge(population, light.parallelism_of(f"frequency_{population}"))
