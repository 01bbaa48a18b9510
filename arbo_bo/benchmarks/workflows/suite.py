"""All of it, for ``arbo bench run --suite workflows``."""

from collections.abc import Callable, Iterator
from pathlib import Path

from arbo_bo.benchmarks.workflows import measured, searched, serverless
from arbo_bo.benchmarks.workflows.rows import Row
from arbo_bo.generation.threads import one_thread


def rows(folder: Path, told: Callable[[str], None] = lambda text: None) -> Iterator[Row]:
    """Every figure beside its target, as it is measured.

    Args:
        folder: What ``$ARBO_BENCH_DATA`` names.
        told: Hears what is measured next.
    """
    stages = folder / "stages"
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "search against enumeration": searched.against_enumeration,
        "replayed serverless workflows": lambda: serverless.replayed(stages),
        "from nothing": lambda: serverless.from_nothing(stages),
        "coupled stages": searched.coupled,
        "Spark jobs": lambda: measured.spark(stages),
        "functions over memory": lambda: measured.memory(stages),
        "incremental updates": lambda: searched.incremental(folder / "workflows"),
        "growth": searched.growth,
    }
    with one_thread():
        for name, part in parts.items():
            told(name)
            yield from part()
