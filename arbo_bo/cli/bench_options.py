"""Options that commands of ``arbo bench`` share."""

from pathlib import Path
from typing import Annotated

import typer

from arbo_bo.cli.options import option

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `arbo bench run --out`.")]
Folders = Annotated[
    list[Path],
    typer.Argument(metavar="DIR...", help="Folders of `arbo bench run --out`, the main one first."),
]
Data = Annotated[
    Path | None,
    option(metavar="DIR", help="Folder of CSVs of measured runs.  [default: $ARBO_BENCH_DATA]"),
]
SuiteName = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Suites, separated by commas: those of `arbo bench list`, and CSVs of measured runs "
        "with the columns parallelism, execution_time_s, and perhaps task, context, input_size, "
        "input_unit, cluster_load, price_per_worker_hour, repeat.",
    ),
]
Policies = Annotated[
    str | None,
    option(
        metavar="NAMES",
        help="Policies, separated by commas; all, and patterns such as 'arbo:*'.  "
        "[default: all but ax]",
    ),
]
Seeds = Annotated[int, typer.Option(metavar="N", help="Repetitions, each with its own draws.")]
Runs = Annotated[
    int | None,
    option(metavar="N", help="Runs of each task.  [default: 12, and 40 of the suite deadline]"),
]
Tasks = Annotated[int, typer.Option(metavar="N", help="At most this many tasks a suite.")]
Out = Annotated[
    Path | None,
    option(
        metavar="DIR",
        help="Output folder; what it holds is not done again.  [default: arbo-bench/SUITE]",
    ),
]
Jobs = Annotated[int, typer.Option(metavar="N", help="Processes at once; 0: one for each core.")]
Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")
]
Ours = Annotated[str, typer.Option("--policy", metavar="NAME", help="Whose side we are on.")]
Candidates = Annotated[
    str | None,
    option(
        metavar="NAMES",
        help="What to choose from, separated by commas.  [default: every arbo in the results]",
    ),
]
Count = Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many tasks.")]
Formats = Annotated[
    str, typer.Option("--format", metavar="png,svg", help="Formats, separated by commas.")
]
Output = Annotated[
    Path, typer.Option(metavar="FILE", help="The page; its pictures go into images/ beside it.")
]
PictureFolder = Annotated[
    Path | None, typer.Option("--output", metavar="DIR", help="Where to.  [default: DIR/images]")
]
