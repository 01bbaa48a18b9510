"""The options that say how degrees are chosen, for every command that takes configuration."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from arbo_bo.cli.options import option, parse_duration_s
from arbo_bo.experiment import SLO, Experiment, MaxCost, MaxExecutionTime, Objective
from arbo_bo.experiment.acquisitions import missing_levels
from arbo_bo.experiment.strategy import AUTO

_OPTIONS: Mapping[type[SLO], str] = {MaxExecutionTime: "--max-time", MaxCost: "--max-cost"}


@dataclass(frozen=True)
class StrategyOptions:
    """What was given of the strategy; None: not given, so it stays as stored."""

    acquisition: Annotated[
        str | None,
        option(
            metavar="NAME",
            help="What chooses: knowledge_gradient, expected_cost, expected_improvement, lcb, "
            "risk_averse, thompson, deadline, budget, constrained_improvement, or auto.  "
            "[default: auto]",
        ),
    ] = None
    max_time: Annotated[
        str | None, option(metavar="TIME", help="Deadline of a run: 90s, 10m, 1.5h.")
    ] = None
    max_cost: Annotated[
        float | None, option(metavar="MONEY", help="Budget of a run; needs a price.")
    ] = None
    price_per_worker_hour: Annotated[
        float | None, option(metavar="MONEY", help="What a worker costs an hour.")
    ] = None
    confidence: Annotated[
        float | None,
        option(
            metavar="P",
            help="Probability with which deadline and budget are to be kept.  [default: 0.95]",
        ),
    ] = None
    no_slo: Annotated[
        bool, option("--no-slo", help="Remove the stored deadline and budget first.")
    ] = False
    search: Annotated[
        str | None,
        option(
            metavar="RULE",
            help="Which allowed degrees are looked at, around the law's optimum: all, up_to_1.2, "
            "up_to_1.5, around, efficiency.  [default: all]",
        ),
    ] = None
    eta: Annotated[
        float | None,
        option(
            metavar="F",
            help="For efficiency: the fraction of the largest speed-up.  [default: 0.9]",
        ),
    ] = None
    pin: Annotated[
        int | None,
        option(metavar="DEGREE", help="Always run at this degree, only observe; 0 removes it."),
    ] = None
    dry_run: Annotated[
        bool | None,
        option(
            "--dry-run/--no-dry-run",
            help="Run at the default degree, and record what would have been chosen.",
        ),
    ] = None
    guard: Annotated[
        float | None,
        option(
            metavar="P",
            help="Leave the default degree only for one that is not worse with this probability; "
            "0 removes it.",
        ),
    ] = None
    like: Annotated[
        str | None,
        option(metavar="TASK", help="Start from this task's law; an empty name removes it."),
    ] = None

    @property
    def given(self) -> bool:
        """Whether any option was given."""
        return self != StrategyOptions()

    def settings(self, before: Experiment) -> dict[str, Any]:
        """Keyword arguments of `ArboOptimizer.configure_experiment`.

        A deadline or a budget takes the place of the stored one and leaves the other. A price is
        the budget's where there is one, else the objective's.

        Args:
            before: The task as it is stored.

        Raises:
            BadParameter: Options that belong together are not together.
            InvalidValueError: A value is outside its domain.
        """
        own = ("acquisition", "search", "eta", "pin", "dry_run", "guard", "like")
        settings = {name: getattr(self, name) for name in own}
        levels = self._levels(before)
        self._require_levels(levels)
        stored = () if self.no_slo else before.strategy.slo
        if self.no_slo or levels != stored:
            settings["slo"] = levels
        has_budget = any(isinstance(level, MaxCost) for level in levels)
        if self.price_per_worker_hour is not None and not has_budget:
            urgency = before.objective.urgency
            settings["objective"] = Objective(
                urgency, price_per_worker_hour=self.price_per_worker_hour
            )
        return settings

    def _levels(self, before: Experiment) -> tuple[SLO, ...]:
        stored = () if self.no_slo else before.strategy.slo
        deadline = next((x for x in stored if isinstance(x, MaxExecutionTime)), None)
        budget = next((x for x in stored if isinstance(x, MaxCost)), None)
        time_s = parse_duration_s("--max-time", self.max_time, needs_unit=True)
        alone = time_s is None and self.max_cost is None
        if self.confidence is not None and alone and deadline is None and budget is None:
            raise typer.BadParameter("--confidence goes with --max-time or --max-cost")
        if time_s is not None:
            deadline = MaxExecutionTime(time_s)
        if self.max_cost is not None:
            budget = MaxCost(self.max_cost, self._price(before))
        elif self.price_per_worker_hour is not None and budget is not None:
            budget = replace(budget, price_per_worker_hour=self.price_per_worker_hour)
        if self.confidence is not None:
            if deadline is not None and (alone or time_s is not None):
                deadline = replace(deadline, confidence=self.confidence)
            if budget is not None and (alone or self.max_cost is not None):
                budget = replace(budget, confidence=self.confidence)
        return tuple(x for x in (deadline, budget) if x is not None)

    def _require_levels(self, levels: tuple[SLO, ...]) -> None:
        missing = missing_levels(self.acquisition or AUTO, levels)
        if missing:
            wanted = " or ".join(_OPTIONS[kind] for kind in missing)
            raise typer.BadParameter(f"--acquisition {self.acquisition} needs {wanted}")

    def _price(self, before: Experiment) -> float:
        if self.price_per_worker_hour is not None:
            return self.price_per_worker_hour
        for level in before.strategy.slo:
            if isinstance(level, MaxCost):
                return level.price_per_worker_hour
        if before.objective.price_per_worker_hour is None:
            raise typer.BadParameter("--max-cost needs --price-per-worker-hour")
        return before.objective.price_per_worker_hour


def with_strategy(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `StrategyOptions`; it takes them as ``strategy``."""
    names = [field.name for field in fields(StrategyOptions)]
    hints = get_type_hints(StrategyOptions, include_extras=True)

    @wraps(command)
    def wrapped(**given: Any) -> None:
        strategy = StrategyOptions(**{name: given.pop(name) for name in names})
        command(**given, strategy=strategy)

    parameters = inspect.signature(command).parameters
    added = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(StrategyOptions)
    ]
    kept = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, p in parameters.items()
        if name != "strategy"
    ]
    at = next(i for i, p in enumerate(kept) if p.name == "store")
    signature = inspect.Signature([*kept[:at], *added, *kept[at:]])
    own = {k: v for k, v in get_type_hints(command, include_extras=True).items() if k != "strategy"}
    wrapped.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
    wrapped.__annotations__ = own | {name: hints[name] for name in names}
    return wrapped
