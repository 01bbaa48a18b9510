"""The method's original algorithm, gone on with from decision to decision."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Context,
    Experiment,
    Learned,
    Objective,
    Prediction,
    Residual,
)
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import SMALLEST_SCALE, Window
from arbo_bo.numerics.online import OnlineAmdahlEstimator

FORMAT = 2
ESTIMATOR = "online"


@dataclass(frozen=True)
class OnlineState:
    """What the original algorithm goes on from; it is stored as a task's hyperparameters.

    Attributes:
        law: The smoothed law; None: no run was learned yet.
        learned: Trials of the window that the law has learned from.
        before: Trials with an index below it are learned no more: they have left a full window.
    """

    law: AmdahlLaw | None = None
    learned: frozenset[int] = frozenset()
    before: int = 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OnlineState | None":
        """Reads what `to_json` wrote, or an older version; None where there is no such state.

        Format 1 held the last trial that was learned: those before it count as learned, too.
        """
        try:
            if stored["estimator"] != ESTIMATOR or stored["format"] not in (1, FORMAT):
                return None
            law = AmdahlLaw(**stored["law"])
            if stored["format"] == 1:
                return cls(law, before=int(stored["seen"]) + 1)
            return cls(law, frozenset(map(int, stored["learned"])), int(stored["before"]))
        except (KeyError, TypeError, ValueError):
            return None

    def to_json(self) -> dict[str, Any]:
        """As text; it is as long as the window at most."""
        assert self.law is not None
        return {
            "format": FORMAT,
            "estimator": ESTIMATOR,
            "law": asdict(self.law),
            "learned": sorted(self.learned),
            "before": self.before,
        }

    def has(self, index: int) -> bool:
        """Whether a trial is not to be learned any more."""
        return index < self.before or index in self.learned

    def after(self, law: AmdahlLaw, window: Sequence[int], is_full: bool) -> "OnlineState":
        """The state once every trial of a window is learned."""
        before = max(self.before, min(window)) if is_full else self.before
        return OnlineState(law, frozenset(i for i in window if i >= before), before)


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

    def predict(self, degrees: Sequence[int], context: Context) -> list[Prediction]:
        """See `Surrogate`."""
        gamma, load = self.window.at(context)
        with one_thread():
            mean, std = self.estimator.predict(list(degrees), gamma, load)
        pairs = zip(mean.tolist(), std.tolist(), strict=True)
        return [
            Prediction(s, mu, max(sigma, SMALLEST_SCALE), Residual.ADDITIVE)
            for s, (mu, sigma) in zip(degrees, pairs, strict=True)
        ]

    def candidates(
        self, degrees: Sequence[int], objective: Objective, context: Context
    ) -> list[Candidate]:
        """Every degree with its score, which is taken at the mean, as the original does."""
        predictions = self.predict(degrees, context)
        times = self.estimator.scored_time(list(degrees), *self.window.at(context)).tolist()
        return [
            Candidate(p, objective.log_score(time, p.parallelism))
            for p, time in zip(predictions, times, strict=True)
        ]

    def learned(self, previous: Experiment) -> Learned:
        """The smoothed law, and which trials it has learned from."""
        return Learned(self.estimator.law, self.state.to_json())


def fit_online(experiment: Experiment, window: Window) -> OnlineSurrogate:
    """Learns each run once, whenever it ended: those that are new to the stored law, by index."""
    state = OnlineState.from_json(experiment.model.hyperparameters) or OnlineState()
    estimator = OnlineAmdahlEstimator(
        alpha=experiment.alpha,
        window=experiment.window,
        startup_time_s=window.startup_time_s or 0.0,
        law=state.law,
    )
    indices = [trial.trial_index for trial in window.trials]
    runs = dict(zip(indices, zip(window.inputs(), window.times_s(), strict=True), strict=True))
    with one_thread():
        for index in sorted(indices, key=lambda i: (not state.has(i), i)):
            (s, gamma, load), time_s = runs[index]
            take = estimator.recall if state.has(index) else estimator.observe
            take(s, gamma, load, time_s)
    is_full = len(indices) >= experiment.window
    return OnlineSurrogate(estimator, window, state.after(estimator.law, indices, is_full))
