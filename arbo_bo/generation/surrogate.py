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
from arbo_bo.generation.online import fit_online
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import SMALLEST_SCALE, Surrogate, Window
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.choosers import Alternatives, predictions
from arbo_bo.numerics.fitting import Fit, fit_many
from arbo_bo.numerics.hyperparameters import Hyperparameters
from arbo_bo.numerics.hypotheses import Mixture, weighed
from arbo_bo.numerics.joint import Joint
from arbo_bo.numerics.posterior import Posterior
from arbo_bo.numerics.priors import DEFAULT_PRIORS, Priors
from arbo_bo.numerics.problem import FitProblem


@dataclass(frozen=True)
class Weighed:
    """The hypotheses of a decision.

    Attributes:
        hypotheses: Each explanation with its probability.
        cliff: How likely times at the smallest degrees that were run are longer than the law says,
            for want of memory, say.
        doubted: The largest degree that was run of those; None: none.
    """

    hypotheses: tuple[tuple[str, float], ...]
    cliff: float
    doubted: int | None


@dataclass(frozen=True)
class GPSurrogate:
    """A scalability law with a Gaussian process on it.

    Attributes:
        fit: What was learned under one law: Amdahl's, where hypotheses are weighed.
        posterior: What it says.
        window: The runs that it was learned from.
        mixture: What the hypotheses say, and their weights; what predicts and decides.
    """

    fit: Fit
    posterior: Posterior
    window: Window
    mixture: Mixture

    @classmethod
    def of(cls, fit: Fit, window: Window, mixture: Mixture | None = None) -> "GPSurrogate":
        """The surrogate of a fit, and of what is weighed beside it."""
        posterior = Posterior(fit)
        return cls(fit, posterior, window, mixture or Mixture.alone(posterior))

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
            mixture=self.mixture,
        )

    def predict(self, arms: Sequence[Arm], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        X = self.inputs(arms, context)
        with one_thread():
            beliefs = [posterior.at(X, [0]) for posterior in self.mixture.posteriors]
        return self.predictions(beliefs, arms)

    def predictions(self, beliefs: Sequence[Joint], arms: Sequence[Arm]) -> list[Prediction]:
        """What beliefs, one a hypothesis, say of the next run's time at each arm."""
        weights, found = self.mixture.weights.tolist(), []
        for arm, *each in zip(arms, *map(predictions, beliefs), strict=True):
            parts = [
                (weight, location, max(scale, SMALLEST_SCALE))
                for weight, (location, scale) in zip(weights, each, strict=True)
            ]
            found.append(Prediction.mixed(arm, parts, self.fit.problem.residual))
        return found

    @property
    def weighed(self) -> "Weighed | None":
        """What was weighed; None: one law alone."""
        each = list(zip(self.mixture.hypotheses, self.mixture.weights.tolist(), strict=True))
        if len(each) == 1:
            return None
        cliffs = {h.above: weight for h, weight in each if h.above}
        above = max(cliffs, key=lambda a: cliffs[a], default=0.0)
        below = [t.parallelism for t in self.window.trials if t.parallelism < above]
        named = tuple((str(h), weight) for h, weight in each)
        return Weighed(named, sum(cliffs.values()), max(below, default=None))

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
    found: list[Surrogate | None] = []
    gaussian = []
    for (experiment, _, priors), window in zip(histories, windows, strict=True):
        by_process = experiment.estimator is Estimator.GP
        found.append(None if by_process else fit_online(experiment, window))
        if by_process:
            gaussian.append((experiment, window, problem_of(experiment, window, priors)))
    with one_thread():
        fits = fit_many([problem for _, _, problem in gaussian])
        weigh = [i for i, (e, _, _) in enumerate(gaussian) if e.mean is MeanFunction.AUTO]
        degrees = [np.array(gaussian[i][0].search_space.degrees, float) for i in weigh]
        mixtures = dict(zip(weigh, weighed([fits[i] for i in weigh], degrees), strict=True))
    surrogates = iter(
        GPSurrogate.of(fit, window, mixtures.get(i))
        for i, (fit, (_, window, _)) in enumerate(zip(fits, gaussian, strict=True))
    )
    return [next(surrogates) if one is None else one for one in found]


def problem_of(
    experiment: Experiment, window: Window, priors: Priors = DEFAULT_PRIORS
) -> FitProblem:
    """The window under the task's law; under Amdahl's, where hypotheses are weighed beside it."""
    weighs = experiment.mean is MeanFunction.AUTO
    return FitProblem.of(
        window.inputs(),
        window.times_s(),
        mean=MeanFunction.AMDAHL if weighs else experiment.mean,
        residual=experiment.residual,
        warm_start=Hyperparameters.from_json(experiment.model.hyperparameters),
        startup_time_s=window.startup_time_s,
        censored=window.censored(),
        priors=priors,
    )
