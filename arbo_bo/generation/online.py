"""The method's original algorithm, gone on with from decision to decision."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Candidate,
    Context,
    Estimator,
    Experiment,
    Learned,
    Objective,
    Prediction,
    Residual,
)
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import SMALLEST_SCALE, Window
from arbo_bo.numerics.online import Observation, OnlineAmdahlEstimator
from arbo_bo.numerics.steps import ONLINE, STUDY

FORMAT = 2
STEPS = {Estimator.ONLINE: ONLINE, Estimator.ORIGINAL: STUDY}


@dataclass(frozen=True)
class OnlineState:
    """What the original algorithm goes on from; it is stored as a task's hyperparameters.

    Attributes:
        estimator: Which of its forms.
        law: The smoothed law; None: no run was learned yet.
        learned: Trials of the window that the law has learned from.
        before: Trials with an index below it are learned no more: they have left a full window.
        knows_p: Whether a parallel run has told p.
        runs: The residual process's window, where residuals are kept as they were.
    """

    estimator: Estimator
    law: AmdahlLaw | None = None
    learned: frozenset[int] = frozenset()
    before: int = 0
    knows_p: bool = True
    runs: tuple[Observation, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OnlineState | None":
        """Reads what `to_json` wrote, or an older version; None where there is no such state.

        Format 1 held the last trial that was learned: those before it count as learned, too.
        """
        try:
            estimator, law = Estimator(stored["estimator"]), AmdahlLaw(**stored["law"])
            if estimator not in STEPS or stored["format"] not in (1, FORMAT):
                return None
            if stored["format"] == 1:
                return cls(estimator, law, before=int(stored["seen"]) + 1)
            return cls(
                estimator,
                law,
                frozenset(map(int, stored["learned"])),
                int(stored["before"]),
                bool(stored.get("knows_p", True)),
                tuple(Observation(*map(float, run)) for run in stored.get("runs", ())),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def to_json(self) -> dict[str, Any]:
        """As text; it is as long as the window at most."""
        assert self.law is not None
        state: dict[str, Any] = {
            "format": FORMAT,
            "estimator": self.estimator.value,
            "law": asdict(self.law),
            "learned": sorted(self.learned),
            "before": self.before,
        }
        if self.estimator is Estimator.ORIGINAL:
            state |= {"knows_p": self.knows_p, "runs": [list(run) for run in self.runs]}
        return state

    def has(self, index: int) -> bool:
        """Whether a trial is not to be learned any more."""
        return index < self.before or index in self.learned

    def after(
        self, estimator: OnlineAmdahlEstimator, window: Sequence[int], is_full: bool
    ) -> "OnlineState":
        """The state once an estimator has learned every trial of a window."""
        before = max(self.before, min(window)) if is_full else self.before
        return OnlineState(
            self.estimator,
            estimator.law,
            frozenset(i for i in window if i >= before),
            before,
            estimator.knows_p,
            () if estimator.steps.recomputes_residuals else estimator.observations,
        )


@dataclass(frozen=True)
class OnlineSurrogate:
    """The original algorithm as it is after the runs of a window.

    Attributes:
        estimator: It has learned from every run of the window.
        window: The runs.
        state: What is stored.
    """

    estimator: OnlineAmdahlEstimator
    window: Window
    state: OnlineState

    def predict(self, arms: Sequence[Arm], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        degrees = [arm.parallelism for arm in arms]
        gamma, load = self.window.at(context)
        with one_thread():
            mean, std = self.estimator.predict(degrees, gamma, load)
        pairs = zip(mean.tolist(), std.tolist(), strict=True)
        return [
            Prediction(s, mu, max(sigma, SMALLEST_SCALE), Residual.ADDITIVE)
            for s, (mu, sigma) in zip(degrees, pairs, strict=True)
        ]

    def candidates(
        self, arms: Sequence[Arm], objective: Objective, context: Context
    ) -> list[Candidate]:
        """Every degree with its score, which is taken at the mean, as the original does."""
        predictions = self.predict(arms, context)
        degrees = [arm.parallelism for arm in arms]
        times = self.estimator.scored_time(degrees, *self.window.at(context)).tolist()
        return [
            Candidate(p, objective.log_score(time, p.parallelism))
            for p, time in zip(predictions, times, strict=True)
        ]

    def learned(self, previous: Experiment) -> Learned:
        """The smoothed law, and which trials it has learned from."""
        return Learned(self.estimator.law, self.state.to_json())

    def anomalies(self) -> tuple[str, ...]:
        """The algorithm learns from every run alike."""
        return ()


def fit_online(experiment: Experiment, window: Window) -> OnlineSurrogate:
    """Learns each run once, whenever it ended: those that are new to the stored law, by index."""
    state = OnlineState.from_json(experiment.model.hyperparameters)
    if state is None or state.estimator is not experiment.estimator:
        state = OnlineState(experiment.estimator)
    estimator = OnlineAmdahlEstimator(
        alpha=experiment.alpha,
        window=experiment.window,
        startup_time_s=window.startup_time_s or 0.0,
        law=state.law,
        steps=STEPS[experiment.estimator],
        knows_p=state.knows_p,
    )
    indices = [trial.trial_index for trial in window.trials]
    runs = [
        Observation(s, gamma, load, time_s)
        for (s, gamma, load), time_s in zip(window.inputs(), window.times_s(), strict=True)
    ]
    known = [run for i, run in zip(indices, runs, strict=True) if state.has(i)]
    with one_thread():
        for run in known if estimator.steps.recomputes_residuals else state.runs:
            estimator.recall(*run)
        for index, run in zip(indices, runs, strict=True):
            if not state.has(index):
                estimator.observe(run.s, run.gamma, run.load, run.time_s)
    is_full = len(indices) >= experiment.window
    return OnlineSurrogate(estimator, window, state.after(estimator, indices, is_full))
