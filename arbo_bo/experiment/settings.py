"""A task's settings: what each is called, what it takes, and what holds where it is not given.

The command line's options, what a listing shows of a task, and docs/settings.md follow from the
table at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from arbo_bo._format import format_time
from arbo_bo.experiment.acquisitions import ACQUISITIONS

if TYPE_CHECKING:
    from arbo_bo.experiment.experiment import Experiment

NONE = "none"
"""Stands for a default that is no value."""


class Kind(StrEnum):
    """What the text of a setting is read as."""

    DEGREES = "degrees"
    INTEGER = "whole number"
    NUMBER = "number"
    FLAG = "yes or no"
    NAME = "name"
    TIME = "time"
    TYPES = "worker types"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a task's owner may say.

    Attributes:
        keyword: Of `ArboOptimizer.configure_experiment`.
        kind: What it takes.
        path: Where an `Experiment` holds the value, such as "strategy.pin"; empty: in parts.
        metavar: Stands for the value in help.
        summary: A sentence for help and docs.
        unit: What a number counts.
        otherwise: What holds where it is not given, where the field's own default does not say it.
    """

    keyword: str
    kind: Kind
    path: str
    metavar: str
    summary: str
    unit: str = ""
    otherwise: str = ""

    def value(self, experiment: "Experiment") -> Any:
        """What holds for a task; None: nothing was given, and nothing stands for it."""
        found: Any = experiment
        for part in self.path.split("."):
            found = getattr(found, part, None)
        return found

    def shown(self, value: Any) -> str:
        """A value of this setting as people read it."""
        if self.kind is Kind.TIME:
            return format_time(value)
        if self.kind is Kind.FLAG:
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) else str(value)

    def default(self) -> str:
        """What holds where it is not given, as people read it."""
        if self.otherwise:
            return self.otherwise
        from arbo_bo.experiment.experiment import Experiment

        value = self.value(Experiment("any"))
        return NONE if value is None else self.shown(value)


def option_of(name: str) -> str:
    """The command line's option of a setting."""
    return f"--{name.replace('_', '-')}"


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "parallelism": Setting(
            "parallelism",
            Kind.DEGREES,
            "search_space",
            "DEGREES",
            "Allowed degrees: 1:32 or 1,2,4,8.",
        ),
        "worker_type": Setting(
            "worker_types",
            Kind.TYPES,
            "worker_types",
            "NAME:cpus=N,...",
            "A type of worker to choose, again for each: NAME:cpus=4,memory=16GB, and perhaps "
            "price=0.192 (an hour), startup=40s, parallelism=1:16.",
            otherwise=NONE,
        ),
        "default": Setting(
            "default_parallelism",
            Kind.INTEGER,
            "default_parallelism",
            "DEGREE",
            "Degree of the probe, and the advice where nothing is known.",
            "workers",
        ),
        "urgency": Setting(
            "objective",
            Kind.NUMBER,
            "objective.urgency",
            "A",
            "Minimise T^A x cost: 0.5 saves money, 1 balances, 2 saves time.",
        ),
        "cost_exponent": Setting(
            "objective",
            Kind.NUMBER,
            "objective.cost_exponent",
            "C",
            "Cost grows as workers^C.",
        ),
        "price_per_worker_hour": Setting(
            "objective",
            Kind.NUMBER,
            "objective.price_per_worker_hour",
            "MONEY",
            "What a worker costs an hour; the budget's, where there is one.",
            "money",
        ),
        "window": Setting(
            "window",
            Kind.INTEGER,
            "window",
            "W",
            "Newest completed runs that train.",
            "runs",
        ),
        "residual": Setting(
            "residual",
            Kind.NAME,
            "residual",
            "KIND",
            "How the Gaussian process stands on the law: multiplicative or additive.",
        ),
        "estimator": Setting(
            "estimator",
            Kind.NAME,
            "estimator",
            "NAME",
            "gp, or online: the original algorithm, or original: as its study writes it.",
        ),
        "mean": Setting(
            "mean",
            Kind.NAME,
            "mean",
            "NAME",
            "The law that the Gaussian process stands on: amdahl, usl (slower again past its best "
            "degree), ernest, or auto.",
        ),
        "alpha": Setting(
            "alpha",
            Kind.NUMBER,
            "alpha",
            "F",
            "For the original algorithm, weight of the old value in smoothing.",
        ),
        "baseline": Setting(
            "baseline",
            Kind.FLAG,
            "baseline",
            "FLAG",
            "Whether the first run takes the smallest allowed degree.",
        ),
        "lease": Setting(
            "lease_s",
            Kind.TIME,
            "lease_s",
            "TIME",
            "A run that takes longer counts as lost, such as 36h.",
            "s",
            "24h, or ten times the predicted time",
        ),
        "acquisition": Setting(
            "acquisition",
            Kind.NAME,
            "strategy.acquisition",
            "NAME",
            f"What chooses: {', '.join(ACQUISITIONS)}, or auto.",
        ),
        "max_time": Setting(
            "slo",
            Kind.TIME,
            "strategy.deadline.time_s",
            "TIME",
            "Deadline of a run: 90s, 10m, 1.5h.",
            "s",
        ),
        "max_cost": Setting(
            "slo",
            Kind.NUMBER,
            "strategy.budget.cost",
            "MONEY",
            "Budget of a run; needs a price.",
            "money",
        ),
        "confidence": Setting(
            "slo",
            Kind.NUMBER,
            "",
            "P",
            "Probability with which deadline and budget are to be kept.",
            otherwise="0.95",
        ),
        "search": Setting(
            "search",
            Kind.NAME,
            "strategy.search",
            "RULE",
            "Which allowed degrees are looked at, around the law's optimum: all, up_to_1.2, "
            "up_to_1.5, around, efficiency.",
        ),
        "eta": Setting(
            "eta",
            Kind.NUMBER,
            "strategy.eta",
            "F",
            "For efficiency: the fraction of the largest speed-up.",
        ),
        "pin": Setting(
            "pin",
            Kind.INTEGER,
            "strategy.pin",
            "DEGREE",
            "Always run at this degree, only observe.",
            "workers",
        ),
        "dry_run": Setting(
            "dry_run",
            Kind.FLAG,
            "strategy.dry_run",
            "FLAG",
            "Run at the default degree, and record what would have been chosen.",
        ),
        "guard": Setting(
            "guard",
            Kind.NUMBER,
            "strategy.guard",
            "P",
            "Leave the default degree only for one that is not worse with this probability.",
        ),
        "like": Setting("like", Kind.NAME, "strategy.like", "TASK", "Start from this task's law."),
    }
)

OWN = {
    name: setting
    for name, setting in SETTINGS.items()
    if setting.path == setting.keyword and setting.kind is not Kind.TYPES
}
"""Settings that are fields of an `Experiment`, of a type that JSON knows."""
