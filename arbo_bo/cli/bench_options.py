"""Options that commands of ``arbo bench`` share."""

from pathlib import Path

import click

_path = click.Path(path_type=Path)

folder = click.argument("folder", type=_path, metavar="DIR")
folders = click.argument("folders", type=_path, metavar="DIR...", nargs=-1, required=True)
data = click.option(
    "--data",
    type=_path,
    metavar="DIR",
    help="Folder of CSVs of measured runs.  [default: $ARBO_BENCH_DATA]",
)
suite = click.option(
    "--suite",
    default="quick",
    show_default=True,
    metavar="NAMES",
    help="Suites, separated by commas: those of `arbo bench list`, and CSVs of measured runs with "
    "the columns parallelism, execution_time_s, and perhaps task, context, input_size, input_unit, "
    "cluster_load, price_per_worker_hour, repeat; or workflows, which judges planners.",
)
policies = click.option(
    "--policies",
    metavar="NAMES",
    help="Policies, separated by commas; all, and patterns such as 'arbo:*'.  "
    "[default: all but ax]",
)
seeds = click.option(
    "--seeds",
    type=int,
    default=2,
    show_default=True,
    metavar="N",
    help="Repetitions, each with its own draws.",
)
runs = click.option(
    "--runs",
    type=int,
    metavar="N",
    help="Runs of each task.  [default: 12, and 40 of the suite deadline]",
)
tasks = click.option(
    "--tasks",
    type=int,
    default=20,
    show_default=True,
    metavar="N",
    help="At most this many tasks a suite.",
)
out = click.option(
    "--out",
    type=_path,
    metavar="DIR",
    help="Output folder; what it holds is not done again.  [default: arbo-bench/SUITE]",
)
jobs = click.option(
    "--jobs",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Processes at once; 0: one for each core.",
)
dask = click.option("--dask", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")
ours = click.option(
    "--policy",
    default="arbo",
    show_default=True,
    metavar="NAME",
    help="Whose side we are on.",
)
candidates = click.option(
    "--policies",
    metavar="NAMES",
    help="What to choose from, separated by commas.  [default: every arbo in the results]",
)
count = click.option(
    "--count",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many tasks.",
)
formats = click.option(
    "--format",
    "formats",
    default="png",
    show_default=True,
    metavar="png,svg",
    help="Formats, separated by commas.",
)
page = click.option(
    "--output",
    type=_path,
    default=Path("docs/benchmarks.md"),
    show_default=True,
    metavar="FILE",
    help="The page; its pictures go into images/ beside it.",
)
picture_folder = click.option(
    "--output", type=_path, metavar="DIR", help="Where to.  [default: DIR/images]"
)
