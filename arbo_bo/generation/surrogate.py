"""Trials become arrays, and a fit becomes predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arbo_bo.experiment import (
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
from arbo_bo.numerics.inputs import COLUMNS
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

    def inputs(self, degrees: Sequence[int], context: Context) -> Vector:
        """The model's inputs for every degree at one context, ``m x d``."""
        return np.array([(float(s), *self.window.at(context)) for s in degrees])

    def alternatives(
        self,
        experiment: Experiment,
        context: Context,
        looked_at: Sequence[int],
        pending: Sequence[Trial],
        seed: int = 0,
    ) -> Alternatives:
        """Every allowed degree at one context, and what is believed of them.

        Args:
            experiment: Search space, objective and service levels.
            context: Input size and cluster load of the next run.
            looked_at: The degrees that the search rule leaves.
            pending: Runs of the task under way.
            seed: For what is drawn.
        """
        degrees = experiment.search_space.degrees
        position = {s: i for i, s in enumerate(degrees)}
        rows = [(float(t.parallelism), *self.window.at(t.context)) for t in pending]
        return Alternatives(
            posterior=self.posterior,
            X=self.inputs(degrees, context),
            looked_at=np.array([position[s] for s in looked_at]),
            reference=position[experiment.probe_parallelism],
            pending=np.array(rows).reshape(-1, len(COLUMNS)),
            objective=experiment.objective,
            slo=experiment.strategy.slo,
            seed=seed,
        )

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        with one_thread():
            belief = self.posterior.at(self.inputs(degrees, context), [0])
        return self.predictions(belief, degrees)

    def predictions(self, belief: Joint, degrees: Sequence[int]) -> list[Prediction]:
        """What a belief says of the next run's time at each degree."""
        return [
            Prediction(s, location, max(scale, SMALLEST_SCALE), self.fit.problem.residual)
            for s, (location, scale) in zip(degrees, predictions(belief), strict=True)
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
        if not identifies_law(inputs[:, 0], priors):
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
