"""The options that configure a task, for every command that takes them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from arbo_bo.cli.options import Command, parallelism
from arbo_bo.cli.render import say
from arbo_bo.cli.values import all_cores, parse_duration_s, parse_parallelism
from arbo_bo.errors import ExperimentNotFoundError
from arbo_bo.experiment import SLO, Experiment, MaxCost, MaxExecutionTime, Objective
from arbo_bo.experiment.strategy import AUTO, missing_levels
from arbo_bo.service.optimizer import ArboOptimizer

Given = Mapping[str, Any]
"""The options by name, as they were given; None: not given, so that stays as it is stored."""

_LEVELS: Mapping[type[SLO], str] = {MaxExecutionTime: "--max-time", MaxCost: "--max-cost"}

OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    "parallelism": parallelism,
    "default": click.option(
        "--default", type=int, metavar="DEGREE", help="Degree of the probe.  [default: 5]"
    ),
    "urgency": click.option(
        "--urgency",
        type=float,
        metavar="A",
        help="Minimise T^A x cost: 0.5 saves money, 1 balances, 2 saves time.  [default: 1]",
    ),
    "cost_exponent": click.option(
        "--cost-exponent",
        type=float,
        metavar="C",
        help="Cost grows as workers^C.  [default: 0.5]",
    ),
    "window": click.option(
        "--window",
        type=int,
        metavar="W",
        help="Newest completed runs that train.  [default: 50]",
    ),
    "baseline": click.option(
        "--baseline/--no-baseline",
        default=None,
        help="Whether the first run takes the smallest allowed degree.  [default: baseline]",
    ),
    "residual": click.option(
        "--residual",
        metavar="KIND",
        help="multiplicative or additive.  [default: multiplicative]",
    ),
    "estimator": click.option(
        "--estimator",
        metavar="NAME",
        help="gp, or online: the original algorithm.  [default: gp]",
    ),
    "mean": click.option(
        "--mean",
        metavar="NAME",
        help="The law that the Gaussian process stands on: amdahl, usl (slower again past its best "
        "degree), ernest, or auto.  [default: amdahl]",
    ),
    "lease": click.option(
        "--lease",
        metavar="TIME",
        help="A run that takes longer counts as lost, such as 36h.  "
        "[default: 24h, or ten times the predicted time]",
    ),
    "acquisition": click.option(
        "--acquisition",
        metavar="NAME",
        help="What chooses: knowledge_gradient, expected_cost, expected_improvement, lcb, "
        "risk_averse, thompson, deadline, budget, constrained_improvement, or auto.  "
        "[default: auto]",
    ),
    "max_time": click.option(
        "--max-time", metavar="TIME", help="Deadline of a run: 90s, 10m, 1.5h."
    ),
    "max_cost": click.option(
        "--max-cost", type=float, metavar="MONEY", help="Budget of a run; needs a price."
    ),
    "price_per_worker_hour": click.option(
        "--price-per-worker-hour", type=float, metavar="MONEY", help="What a worker costs an hour."
    ),
    "confidence": click.option(
        "--confidence",
        type=float,
        metavar="P",
        help="Probability with which deadline and budget are to be kept.  [default: 0.95]",
    ),
    "no_slo": click.option(
        "--no-slo", is_flag=True, default=None, help="Remove the stored deadline and budget first."
    ),
    "search": click.option(
        "--search",
        metavar="RULE",
        help="Which allowed degrees are looked at, around the law's optimum: all, up_to_1.2, "
        "up_to_1.5, around, efficiency.  [default: all]",
    ),
    "eta": click.option(
        "--eta",
        type=float,
        metavar="F",
        help="For efficiency: the fraction of the largest speed-up.  [default: 0.9]",
    ),
    "pin": click.option(
        "--pin",
        type=int,
        metavar="DEGREE",
        help="Always run at this degree, only observe; 0 removes it.",
    ),
    "dry_run": click.option(
        "--dry-run/--no-dry-run",
        default=None,
        help="Run at the default degree, and record what would have been chosen.",
    ),
    "guard": click.option(
        "--guard",
        type=float,
        metavar="P",
        help="Leave the default degree only for one that is not worse with this probability; "
        "0 removes it.",
    ),
    "like": click.option(
        "--like", metavar="TASK", help="Start from this task's law; an empty name removes it."
    ),
}
STRATEGY = tuple(OPTIONS)[tuple(OPTIONS).index("acquisition") :]


def settings(*names: str) -> Callable[[Command], Command]:
    """Adds these options to a command, which takes them all as the argument ``given``."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def collected(**values: Any) -> Any:
            return command(given={name: values.pop(name) for name in names}, **values)

        added: Any = collected
        for name in reversed(names):
            added = OPTIONS[name](added)
        return added  # type: ignore[no-any-return]

    return decorate


def is_any(given: Given) -> bool:
    """Whether any of the options was given."""
    return any(value is not None for value in given.values())


def is_known(arbo: ArboOptimizer, task: str) -> bool:
    """Whether the store has the task."""
    try:
        arbo.experiment(task)
    except ExperimentNotFoundError:
        return False
    return True


def apply_configuration(arbo: ArboOptimizer, task: str, given: Given) -> Experiment:
    """Configures the task with the options that were given; the others stay as stored.

    A task that is new may take as many workers as this machine has cores, unless it is told more.

    Raises:
        UsageError: Options that belong together are not together.
        InvalidValueError: A value is outside its domain.
    """
    option = given.get
    space = parse_parallelism(option("parallelism"))
    try:
        before = arbo.experiment(task)
    except ExperimentNotFoundError:
        before = Experiment(task)
        if space is None:
            space = all_cores()
            say(f"{task} is new: allowed are {space} workers, the cores of this machine")
    return arbo.configure_experiment(
        task,
        parallelism=space,
        default_parallelism=option("default"),
        objective=_objective(given, before),
        window=option("window"),
        baseline=option("baseline"),
        residual=option("residual"),
        estimator=option("estimator"),
        mean=option("mean"),
        lease_s=parse_duration_s("--lease", option("lease")),
        acquisition=option("acquisition"),
        slo=_changed_levels(given, before),
        search=option("search"),
        eta=option("eta"),
        pin=option("pin"),
        dry_run=option("dry_run"),
        guard=option("guard"),
        like=option("like"),
    )


def _objective(given: Given, before: Experiment) -> Objective | None:
    """The objective that is asked for; a price is the budget's where there is one."""
    urgency, exponent = given.get("urgency"), given.get("cost_exponent")
    price = given.get("price_per_worker_hour")
    if any(isinstance(level, MaxCost) for level in _levels(given, before)):
        price = None
    if price is not None and exponent is not None:
        raise click.UsageError(
            "--price-per-worker-hour makes the cost money, and --cost-exponent makes it "
            "workers^C: give one of them"
        )
    if urgency is None and exponent is None and price is None:
        return None
    stored = before.objective
    if price is not None:
        return Objective(
            stored.urgency if urgency is None else urgency, price_per_worker_hour=price
        )
    return Objective(
        stored.urgency if urgency is None else urgency,
        stored.cost_exponent if exponent is None else exponent,
        stored.price_per_worker_hour if exponent is None else None,
    )


def _changed_levels(given: Given, before: Experiment) -> tuple[SLO, ...] | None:
    """The service levels that are asked for; None: those that are stored.

    A deadline or a budget takes the place of the stored one and leaves the other.
    """
    levels = _levels(given, before)
    acquisition = given.get("acquisition")
    missing = missing_levels(acquisition or AUTO, levels)
    if missing:
        wanted = " or ".join(_LEVELS[kind] for kind in missing)
        raise click.UsageError(f"--acquisition {acquisition} needs {wanted}")
    return levels if given.get("no_slo") or levels != before.strategy.slo else None


def _levels(given: Given, before: Experiment) -> tuple[SLO, ...]:
    stored = () if given.get("no_slo") else before.strategy.slo
    deadline = next((x for x in stored if isinstance(x, MaxExecutionTime)), None)
    budget = next((x for x in stored if isinstance(x, MaxCost)), None)
    time_s = parse_duration_s("--max-time", given.get("max_time"), needs_unit=True)
    cost, confidence = given.get("max_cost"), given.get("confidence")
    alone = time_s is None and cost is None
    if confidence is not None and alone and deadline is None and budget is None:
        raise click.UsageError("--confidence goes with --max-time or --max-cost")
    if time_s is not None:
        deadline = MaxExecutionTime(time_s)
    price = given.get("price_per_worker_hour")
    if cost is not None:
        budget = MaxCost(cost, _price(price, before))
    elif price is not None and budget is not None:
        budget = replace(budget, price_per_worker_hour=price)
    if confidence is not None:
        if deadline is not None and (alone or time_s is not None):
            deadline = replace(deadline, confidence=confidence)
        if budget is not None and (alone or cost is not None):
            budget = replace(budget, confidence=confidence)
    return tuple(x for x in (deadline, budget) if x is not None)


def _price(given: float | None, before: Experiment) -> float:
    if given is not None:
        return given
    for level in before.strategy.slo:
        if isinstance(level, MaxCost):
            return level.price_per_worker_hour
    if before.objective.price_per_worker_hour is None:
        raise click.UsageError("--max-cost needs --price-per-worker-hour")
    return before.objective.price_per_worker_hour
