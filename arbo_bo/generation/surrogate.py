"""Trials become arrays, and a fit becomes predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arbo_bo.experiment import (
    Arm,
    Context,
    Estimator,
    Experiment,
    Learned,
    MeanFunction,
    Prediction,
    Trial,
)
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.generation.online import fit_online
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import SMALLEST_SCALE, Surrogate, Window
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.choosers import Alternatives, predictions
from arbo_bo.numerics.fitting import Fit, fit_many, log_evidence
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.inputs import capacity
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.laws import LAWS
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.priors import DEFAULT_PRIORS, Priors
from arbo_bo.numerics.problem import FitProblem, identifies_law


@dataclass(frozen=True)
class GPSurrogate:
    """A scalability law with a Gaussian process on it.

    Attributes:
        fit: What was learned.
        posterior: What it says.
        window: The runs that it was learned from.
    """

    fit: Fit
    posterior: Posterior
    window: Window

    @classmethod
    def of(cls, fit: Fit, window: Window) -> "GPSurrogate":
        """The surrogate of a fit."""
        return cls(fit, Posterior(fit), window)

    @property
    def identifies_law(self) -> bool:
        """Whether the window's degrees tell the law, so that nothing older has to."""
        return self.fit.problem.identifies_law

    def inputs(self, arms: Sequence[Arm], context: Context) -> Vector:
        """The model's inputs for every arm at one context, ``m x d``."""
        return np.array([self.window.row(arm, context) for arm in arms])

    def alternatives(
        self,
        experiment: Experiment,
        context: Context,
        looked_at: Sequence[Arm],
        pending: Sequence[Trial],
        seed: int = 0,
    ) -> Alternatives:
        """Every allowed degree at one context, and what is believed of them.

        Args:
            experiment: Search space, objective and service levels.
            context: Input size and cluster load of the next run.
            looked_at: The arms that the search rule leaves.
            pending: Runs of the task under way.
            seed: For what is drawn.
        """
        position = {arm: i for i, arm in enumerate(experiment.arms)}
        rows = [self.window.row(t.arm, t.context) for t in pending]
        X = self.inputs(experiment.arms, context)
        return Alternatives(
            posterior=self.posterior,
            X=X,
            looked_at=np.array([position[arm] for arm in looked_at]),
            reference=position[experiment.probe_arm],
            pending=np.array(rows).reshape(-1, X.shape[1]),
            objective=experiment.cost_objective,
            slo=experiment.strategy.slo,
            seed=seed,
        )

    def predict(self, arms: Sequence[Arm], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        with one_thread():
            belief = self.posterior.at(self.inputs(arms, context), [0])
        return self.predictions(belief, arms)

    def predictions(self, belief: Joint, arms: Sequence[Arm]) -> list[Prediction]:
        """What a belief says of the next run's time at each arm."""
        residual = self.fit.problem.residual
        return [
            Prediction(
                arm.parallelism, location, max(scale, SMALLEST_SCALE), residual, arm.worker_type
            )
            for arm, (location, scale) in zip(arms, predictions(belief), strict=True)
        ]

    def learned(self, previous: Experiment) -> Learned:
        """The law always, the hyperparameters where the window could teach them."""
        if not self.identifies_law:
            return Learned(self.fit.law, previous.model.hyperparameters)
        return Learned(self.fit.law, self.fit.hyperparameters.to_json())

    def anomalies(self) -> tuple[str, ...]:
        """See `Surrogate`."""
        trials, found = self.window.trials, self.fit.explanation
        stragglers = [
            f"trial {trial.trial_index} took far longer or shorter than the others say, and does "
            "not train"
            for trial, kept in zip(trials, found.kept, strict=True)
            if not kept and trial.trains
        ]
        changes = [
            f"{'slower' if change.size > 0 else 'faster'} since trial "
            f"{trials[change.before].trial_index}"
            for change in sorted(found.changes)
        ]
        return (*stragglers, *changes)


def fit(experiment: Experiment, trials: Sequence[Trial]) -> Surrogate:
    """Learns from the newest window of completed trials, oldest first.

    Raises:
        NotEnoughObservationsError: No trial is completed.
    """
    return fit_all([(experiment, trials, DEFAULT_PRIORS)])[0]


def fit_all(histories: Sequence[tuple[Experiment, Sequence[Trial], Priors]]) -> list[Surrogate]:
    """Learns from the windows of several tasks; the Gaussian processes are fitted as one batch.

    Raises:
        NotEnoughObservationsError: A task has no completed trial.
    """
    windows = [Window.of(experiment, trials) for experiment, trials, _ in histories]
    problems = [
        problems_of(experiment, window, priors) if experiment.estimator is Estimator.GP else []
        for (experiment, _, priors), window in zip(histories, windows, strict=True)
    ]
    with one_thread():
        fits = iter(fit_many([p for each in problems for p in each]))
    found: list[Surrogate] = []
    for (experiment, _, _), window, each in zip(histories, windows, problems, strict=True):
        if not each:
            found.append(fit_online(experiment, window))
            continue
        laws = [next(fits) for _ in each]
        best = laws[0] if len(laws) == 1 else max(laws, key=log_evidence)
        found.append(GPSurrogate.of(best, window))
    return found


def problems_of(
    experiment: Experiment, window: Window, priors: Priors = DEFAULT_PRIORS
) -> list[FitProblem]:
    """The window under the task's law, or under every law where the evidence is to choose.

    A window that does not identify the law cannot choose: the law that was chosen before stays.
    """
    known = Hyperparameters.from_json(experiment.model.hyperparameters)
    inputs, means = np.array(window.inputs()), [experiment.mean]
    if experiment.mean is MeanFunction.AUTO:
        means = list(LAWS)
        if not identifies_law(capacity(inputs), priors):
            means = [DEFAULT_MEAN if known is None else known.mean]
    return [
        FitProblem.of(
            inputs,
            window.times_s(),
            mean=mean,
            residual=experiment.residual,
            warm_start=known,
            startup_time_s=window.startup_time_s,
            censored=window.censored(),
            priors=priors,
        )
        for mean in means
    ]
