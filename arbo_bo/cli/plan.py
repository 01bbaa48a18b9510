"""``arbo plan``."""

from pathlib import Path
from typing import Any

import click

from arbo_bo._format import format_probability, format_time
from arbo_bo.cli import options, render, values
from arbo_bo.cli.options import open_optimizer
from arbo_bo.cli.table import Table
from arbo_bo.planning.goals import Budget, Deadline, Goal, Mean, Percentile
from arbo_bo.planning.plan import Plan

INFEASIBLE = 3
"""The exit status where no plan keeps the goal."""
PLAN = "workflow"
SHOWN = 8
"""Stages whose degrees stand in a row of the Pareto front."""


class _PlanGroup(click.Group):
    """A group whose first argument may be a workflow's file instead of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the command that plans in front of a file's name, or of its options."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [PLAN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_PlanGroup, no_args_is_help=True, subcommand_metavar="WORKFLOW [OPTIONS]")
def app() -> None:
    """Plan a whole workflow: every stage's degree and worker type for one goal.

    WORKFLOW is a file, YAML or JSON with name and stages, or WfFormat. `arbo plan workflow --help`
    lists the options. The status is 3 where no plan keeps the goal; the plan that is most likely to
    is printed all the same, with the nearest deadline.
    """


workflow_file = click.argument("workflow", type=click.Path(path_type=Path), metavar="WORKFLOW")
goals = options.together(
    click.option("--deadline", metavar="TIME", help="The makespan's limit: seconds, or 30m."),
    click.option("--budget", type=float, metavar="USD", help="The cost's limit."),
    click.option(
        "--probability",
        type=float,
        default=0.95,
        show_default=True,
        help="How likely each limit is kept.",
    ),
    click.option("--mean", is_flag=True, help="Minimise the expected makespan."),
    click.option(
        "--percentile", type=float, metavar="Q", help="Minimise a percentile; 50: the median."
    ),
)
load = options.cluster_load


def goals_of(
    deadline: str | None,
    budget: float | None,
    probability: float,
    mean: bool,
    percentile: float | None,
) -> list[Goal]:
    """The goals that the options name.

    Raises:
        UsageError: They name none, or two ways to minimise.
    """
    found: list[Goal] = []
    if deadline is not None:
        seconds = values.parse_duration_s("--deadline", deadline)
        found.append(Deadline(seconds, probability))
    if budget is not None:
        found.append(Budget(budget, probability))
    if mean and percentile is not None:
        raise click.UsageError("give --mean or --percentile, not both")
    if mean:
        found.append(Mean())
    if percentile is not None:
        found.append(Percentile(percentile))
    if not found:
        raise click.UsageError("give a goal: --deadline, --budget, --mean or --percentile")
    return found


@app.command(PLAN)
@workflow_file
@goals
@click.option("--planner", default="chance", show_default=True, help="Who chooses.")
@click.option("--explain", is_flag=True, help="Print the critical path, and each stage's slack.")
@load
@options.where
@options.json
def plan(
    workflow: Path,
    planner: str,
    explain: bool,
    cluster_load: float | None,
    store: str | None,
    namespace: str,
    json: bool,
    **goal: Any,
) -> None:
    """Plan a workflow for one goal."""
    wanted = goals_of(**goal)
    arbo = open_optimizer(store, namespace)
    found = arbo.plan(workflow, wanted, planner=planner, cluster_load=cluster_load)
    if json:
        render.print_json(found.to_json())
    elif explain:
        print(found.explain())
    else:
        render.print_table(plan_table(found))
        print(found)
    if not found.feasible:
        raise click.exceptions.Exit(INFEASIBLE)


@app.command()
@workflow_file
@goals
@click.option("--planners", metavar="NAMES", help="Which, with commas.  [default: all]")
@load
@options.where
@options.json
def compare(
    workflow: Path,
    planners: str | None,
    cluster_load: float | None,
    store: str | None,
    namespace: str,
    json: bool,
    **goal: Any,
) -> None:
    """Compare what planners make of a goal, with optimizations and without."""
    from arbo_bo.planning.arrangements import USUAL
    from arbo_bo.planning.make import make_plan
    from arbo_bo.planning.planners.registry import available

    wanted = goals_of(**goal)
    names = available() if planners is None else [n.strip() for n in planners.split(",")]
    arbo = open_optimizer(store, namespace)
    known = arbo.forecast(workflow, cluster_load=cluster_load)
    found = [
        (with_them, make_plan(known, wanted, name, USUAL if with_them else ()))
        for name in names
        for with_them in (True, False)
    ]
    if json:
        rows = [{**p.to_json(), "optimizations": with_them} for with_them, p in found]
        return render.print_json_list(rows)
    titles = ("planner", "optimizations", "makespan", "95 %", "cost", "kept")
    table = Table(titles, left=("planner", "optimizations"))
    for with_them, p in found:
        kept = format_probability(p.probability) if p.target.has_limit else ""
        table.add(
            p.planner,
            "usual" if with_them else "none",
            format_time(p.makespan.mean_s),
            format_time(p.makespan.quantile_s(0.95)),
            f"{p.cost.mean:.4g}",
            kept,
            marked=p.feasible and p.target.has_limit,
        )
    render.print_table(table)


@app.command()
@workflow_file
@click.option(
    "--probability", type=float, default=0.95, show_default=True, help="How likely each is kept."
)
@click.option("--planner", default="chance", show_default=True, help="Who chooses.")
@click.option("--points", type=click.IntRange(2, 100), default=9, show_default=True)
@load
@options.where
@options.json
def pareto(
    workflow: Path,
    probability: float,
    planner: str,
    points: int,
    cluster_load: float | None,
    store: str | None,
    namespace: str,
    json: bool,
) -> None:
    """Show what time costs: plans from the fastest to the cheapest."""
    from arbo_bo.planning.pareto import pareto_front

    arbo = open_optimizer(store, namespace)
    known = arbo.forecast(workflow, cluster_load=cluster_load)
    front = pareto_front(known, probability, planner, points)
    if json:
        return render.print_json_list(p.to_json() for p in front)
    table = Table((f"{100 * probability:g} %", "makespan", "cost", "workers"), left=("workers",))
    for p in front:
        table.add(
            format_time(p.makespan.quantile_s(probability)),
            format_time(p.makespan.mean_s),
            f"{p.cost.mean:.4g}",
            ", ".join(f"{s.name} {s.parallelism}" for s in p.stages[:SHOWN]),
        )
    render.print_table(table)


def plan_table(plan: Plan) -> Table:
    """A row a stage."""
    titles = ("stage", "workers", "type", "start", "time", "90 % band", "critical", "slack")
    table = Table(titles, left=("stage", "type"))
    for s in plan.stages:
        low, high = s.band_s
        table.add(
            s.name,
            str(s.parallelism),
            s.worker_type or "",
            format_time(s.start_s),
            format_time(s.duration.mean_s),
            f"{format_time(low)} to {format_time(high)}",
            format_probability(s.criticality) if s.criticality else "never",
            format_time(s.slack_s),
        )
    return table
