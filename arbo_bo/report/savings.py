"""What arbo's degrees saved against the default degree, with a band from the posterior.

A run that took T_i at degree s_i would have taken, at the default degree d and in the same context,

    T_i exp(f(d, x_i) - f(s_i, x_i)),

f being the log time of the task's model, so that what slowed the run down slows the other one too.
A run at the default degree saves exactly nothing. docs/savings.md has the method.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from arbo_bo.experiment import Estimator, Experiment, Phase, Trial, TrialStatus
from arbo_bo.experiment.objective import SECONDS_PER_HOUR
from arbo_bo.generation.surrogate import GPSurrogate, fit
from arbo_bo.numerics.arrays import Vector

if TYPE_CHECKING:
    from arbo_bo.service.optimizer import ArboOptimizer

DRAWS = 2000
"""Draws of the posterior: the band's ends are off by a tenth of a standard deviation at most."""
RUNS = 500
"""The newest runs of a task that are looked at; the joint posterior's cost grows with the cube."""
BAND = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Saving:
    """What some runs saved; below 0 they lost.

    Attributes:
        mean: The expected saving.
        low: Its 5 % quantile.
        high: Its 95 % quantile.
    """

    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def of(cls, draws: Vector) -> "Saving":
        """The mean and the band of some draws."""
        low, high = np.quantile(draws, BAND)
        return cls(float(draws.mean()), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Point:
    """All that was saved up to the end of one run.

    Attributes:
        trial_index: The run.
        finished_at: When it ended.
        worker_hours: What it and all runs before it saved [worker h].
    """

    trial_index: int
    finished_at: datetime | None
    worker_hours: Saving


@dataclass(frozen=True, slots=True)
class TaskSavings:
    """What one task's completed runs saved.

    Attributes:
        task: The experiment's name.
        default_parallelism: The degree that is compared with.
        runs: How many runs are compared.
        would_have: Whether the runs were pinned or dry runs: then the advised degree is compared
            with the default one, and nothing was saved in fact.
        hours: Time [h].
        worker_hours: Workers times time [worker h].
        money: In the price's currency; None: the task has no price.
        measured: The part of `worker_hours` that rests on measured degrees alone.
        extrapolated: The part for which the model had to say what an unmeasured degree takes.
        opening: The part of the opening runs, baseline and probe: what getting to know the task
            cost.
        cumulative: `worker_hours` run by run.
    """

    task: str
    default_parallelism: int
    runs: int
    would_have: bool
    hours: Saving
    worker_hours: Saving
    money: Saving | None
    measured: Saving
    extrapolated: Saving
    opening: Saving
    cumulative: tuple[Point, ...]


def savings(
    arbo: "ArboOptimizer", tasks: Sequence[str] = (), since: datetime | None = None
) -> list[TaskSavings]:
    """What each task saved, those that lost the most first; tasks without a run are left out.

    Args:
        arbo: Whose store is read.
        tasks: Their names; none: every task of the namespace.
        since: Only runs that ended at this moment or later.

    Raises:
        ExperimentNotFoundError: There is no such task.
    """
    experiments = [arbo.experiment(name) for name in tasks] or arbo.experiments()
    found: list[TaskSavings] = []
    for experiment in experiments:
        found += task_savings(experiment, arbo.store.latest(experiment.name, RUNS), since)
    return sorted(found, key=lambda each: each.worker_hours.mean)


def task_savings(
    experiment: Experiment, trials: Sequence[Trial], since: datetime | None = None
) -> list[TaskSavings]:
    """What a task's runs saved: those that arbo chose, and apart those that were pinned or dry.

    Args:
        experiment: The task.
        trials: Its runs, oldest first.
        since: Only runs that ended at this moment or later; all train the model.
    """
    trials = [t for t in trials if experiment.knows(t)]
    if not any(t.trains for t in trials):
        return []
    surrogate = fit(replace(experiment, estimator=Estimator.GP), trials)
    assert isinstance(surrogate, GPSurrogate)
    compared = [t for t in trials if _is_compared(t, since)]
    chosen = [t for t in compared if t.phase is not Phase.FIXED]
    fixed = [t for t in compared if t.phase is Phase.FIXED]
    advised = [t for t in fixed if t.recommended_parallelism is not None]
    groups = [(chosen, False), (advised, True)]
    return [_saved(experiment, surrogate, runs, would) for runs, would in groups if runs]


def _is_compared(trial: Trial, since: datetime | None) -> bool:
    """Whether arbo advised on it and it has a time that counts."""
    if trial.status is not TrialStatus.COMPLETED or not trial.trains:
        return False
    if trial.phase is Phase.ATTACHED:
        return False
    return since is None or (trial.finished_at is not None and trial.finished_at >= since)


def _saved(
    experiment: Experiment, surrogate: GPSurrogate, runs: Sequence[Trial], would_have: bool
) -> TaskSavings:
    default = experiment.default_parallelism
    ours = [(t.recommended_parallelism if would_have else None) or t.parallelism for t in runs]
    time = _times(surrogate, runs, ours)
    other = _times(surrogate, runs, [default] * len(runs))
    hours = (other - time) / SECONDS_PER_HOUR
    workers = (default * other - np.array(ours) * time) / SECONDS_PER_HOUR
    measured = {t.arm for t in surrogate.window.trials if t.trains}
    pairs = [
        {replace(t.arm, parallelism=s), replace(t.arm, parallelism=default)}
        for t, s in zip(runs, ours, strict=True)
    ]
    rests = np.array([pair <= measured for pair in pairs])
    opening = np.array([t.phase in (Phase.BASELINE, Phase.PROBE) for t in runs])
    prices, total = _prices(experiment, runs), workers.sum(-1)
    means, bands = workers.cumsum(-1), np.quantile(workers.cumsum(-1), BAND, axis=0)
    return TaskSavings(
        task=experiment.name,
        default_parallelism=default,
        runs=len(runs),
        would_have=would_have,
        hours=Saving.of(hours.sum(-1)),
        worker_hours=Saving.of(total),
        money=None if prices is None else Saving.of(workers @ prices),
        measured=Saving.of(workers[:, rests].sum(-1)),
        extrapolated=Saving.of(workers[:, ~rests].sum(-1)),
        opening=Saving.of(workers[:, opening].sum(-1)),
        cumulative=tuple(
            Point(t.trial_index, t.finished_at, Saving(float(mean), float(low), float(high)))
            for t, mean, low, high in zip(runs, means.mean(0), *bands, strict=True)
        ),
    )


def _prices(experiment: Experiment, runs: Sequence[Trial]) -> Vector | None:
    """What an hour of one of each run's workers costs; None: nobody has said."""
    if experiment.worker_types.are_priced:
        return np.array([experiment.paid_for(replace(t.arm, parallelism=1)) for t in runs])
    price = experiment.objective.price_per_worker_hour
    return None if price is None else np.full(len(runs), price)


def _times(surrogate: GPSurrogate, runs: Sequence[Trial], degrees: Sequence[int]) -> Vector:
    """Draws of what each run would have taken at a degree [s], ``DRAWS x n``.

    The draws of one task share their seed, so that two calls are of the same curves.
    """
    row = surrogate.window.row
    here = [row(t.arm, t.training_context) for t in runs]
    there = [
        row(replace(t.arm, parallelism=s), t.training_context)
        for t, s in zip(runs, degrees, strict=True)
    ]
    X, position = np.unique(np.array(here + there), axis=0, return_inverse=True)
    position = position.reshape(-1)
    # Only the differences matter: they are drawn by themselves, exactly 0 at the run's own degree.
    joint = surrogate.posterior.at(X).of_log_time()
    pairs = np.zeros((len(runs), len(X)))
    rows = np.arange(len(runs))
    np.add.at(pairs, (rows, position[len(runs) :]), 1.0)
    np.add.at(pairs, (rows, position[: len(runs)]), -1.0)
    values, vectors = np.linalg.eigh(np.asarray(joint.covariance))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    seed = zlib.crc32(runs[0].task.encode())
    normal = np.random.default_rng(seed).standard_normal((DRAWS, len(X)))
    ratio = pairs @ joint.mean + normal @ (pairs @ root).T
    measured = np.array([t.execution_time_s for t in runs], dtype=float)
    return np.asarray(measured * np.exp(np.clip(ratio, -700.0, 700.0)))
