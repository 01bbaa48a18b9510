"""How a task's runs ended: what failures say of the degrees to come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.experiment import Arm, Context, Experiment, Trial, TrialStatus
from arbo_bo.experiment.arm import short_name
from arbo_bo.experiment.outcome import is_retried
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.priors import DEFAULT_PRIORS, FailurePrior
from arbo_bo.numerics.reliability import Flags, Outcomes, success_probability

LEAST_PROBABILITY = 1e-9
"""Of success, so that nothing is divided by 0."""
LONGEST_CAUSE = 60
"""Characters of a failure's reason in a sentence."""


@dataclass(frozen=True)
class FailureEvidence:
    """A history in which some run failed, and what it says of the next run.

    Attributes:
        trials: The ended runs that tell, oldest first.
        arms: The allowed arms.
        probability: P(the next run succeeds) at each arm, shape (m,).
        prior: How often what happens.
    """

    trials: Sequence[Trial]
    arms: Sequence[Arm]
    probability: Vector
    prior: FailurePrior = DEFAULT_PRIORS.failures

    @classmethod
    def of(
        cls, experiment: Experiment, trials: Sequence[Trial], context: Context
    ) -> "FailureEvidence | None":
        """Reads a history; None where no run failed.

        A run that succeeded on a retry only counts as failed, and one whose lease expired: what
        killed it could not say so. What fails for want of memory fails by the memory of all workers
        together: with worker types that stands for the degree.
        """
        ended = [t for t in sorted(trials, key=lambda t: t.trial_index) if tells(t)]
        if not any(map(has_failed, ended)):
            return None
        base, arms = experiment.model.base_input_size, experiment.arms
        following = max((t.trial_index for t in trials), default=-1) + 1
        found = success_probability(
            Outcomes(
                np.array([experiment.memory_of(t.arm) for t in ended]),
                np.array([t.training_context.gamma(base) for t in ended]),
                np.array([has_failed(t) for t in ended]),
                np.array([t.trial_index for t in ended]),
                following,
            ),
            np.array([experiment.memory_of(arm) for arm in arms]),
            context.gamma(base),
        )
        return cls(ended, arms, found)

    @property
    def relative(self) -> Vector:
        """P(success) over that of the most reliable degree, shape (m,)."""
        return np.asarray(self.probability / self.probability.max())

    @property
    def is_hopeless(self) -> bool:
        """Whether a failure is likely at every degree."""
        return bool(self.probability.max() < self.prior.hopeless)

    def falls_back_to(self, default: Arm) -> bool:
        """Whether the default degree is to run, since a failure is likely at every degree.

        Not where it is far likelier to fail than another one.
        """
        chance = dict(zip(self.arms, self.relative.tolist(), strict=True))
        return self.is_hopeless and chance[default] >= self.prior.hopeless

    @property
    def time_limit_s(self) -> float | None:
        """The limit that runs were ended at last [s]; None: there is none, or it was raised."""
        limit = None
        for trial in self.trials:
            if trial.timed_out_after_s is not None and has_failed(trial):
                limit = trial.timed_out_after_s
            elif limit is not None and (trial.execution_time_s or 0.0) > limit:
                limit = None
        return limit

    def with_time_limit(self, within: Vector) -> "FailureEvidence":
        """The evidence with the probability that a run stays within the time limit, shape (m,)."""
        return replace(self, probability=self.probability * within)

    def log_repeat(self, log_scores: Vector) -> Vector:
        """What failures add to the logarithm of each degree's score, shape (m,).

        A failed run costs its time, and a run at the cheapest safe degree. It costs that once, and
        with the probability P of a success the degree serves the H runs after it: Score(s) +
        r / (P H) Score(safe) a run, r = 1 - P being the risk beyond that of the most reliable
        degree.

        Args:
            log_scores: Logarithm of the score that a run of each degree has if it succeeds, (m,).
        """
        success = self.relative
        safe = log_scores[1 - success <= self.prior.tolerated].min()
        share = (1 - success) / (np.maximum(success, LEAST_PROBABILITY) * self.prior.horizon)
        return np.asarray(np.log1p(share * np.exp(np.clip(safe - log_scores, -50.0, 50.0))))

    def may_run(self, log_scores: Vector, looked_at: Flags) -> Flags:
        """Whether each degree may be tried: it is safe, or worth its risk; shape (m,).

        It is worth its risk where its score with `log_repeat` is not above that of the cheapest
        safe degree, and where it is not nearly sure to fail. So a degree that has failed is tried
        again rarely, and on purpose: once most of what is believed of its failures has faded, or
        sooner where staying away from it costs many times as much.

        Args:
            log_scores: As in `log_repeat`.
            looked_at: Which degrees a search rule leaves, shape (m,).
        """
        safe = (1 - self.relative <= self.prior.tolerated) & looked_at
        if not safe.any():
            return safe
        worth = log_scores + self.log_repeat(log_scores) <= log_scores[safe].min()
        return np.asarray(safe | (worth & (self.probability >= self.prior.least) & looked_at))

    def of_arm(self, arm: Arm) -> tuple[int, int]:
        """How many runs of an arm failed, of how many."""
        outcomes = [has_failed(t) for t in self.trials if t.arm == arm]
        return sum(outcomes), len(outcomes)

    def cause(self, arm: Arm | None = None) -> str:
        """What the newest failure said, of an arm or of all; empty: nothing."""
        for trial in reversed(self.trials):
            if has_failed(trial) and arm in (None, trial.arm):
                return _short(trial.failure_reason or trial.exclusion_reason or "")
        return ""

    def why(self, arm: Arm) -> str:
        """Why an arm is likely to fail, in words."""
        failed, runs = self.of_arm(arm)
        if failed:
            return f"{_times(failed, runs)}{_because(self.cause(arm))}"
        others = [t.arm for t in self.trials if has_failed(t)]
        nearest = min(others, key=lambda o: abs(np.log(o.parallelism / arm.parallelism)))
        failed, runs = self.of_arm(nearest)
        return f"{short_name(nearest)} {_times(failed, runs)}{_because(self.cause(nearest))}"


def tells(trial: Trial) -> bool:
    """Whether a trial's end says something of others to come."""
    if trial.status is TrialStatus.COMPLETED:
        return trial.trains or is_retried(trial.exclusion_reason)
    if trial.status is TrialStatus.FAILED:
        return trial.exclusion_reason is None
    return trial.is_lapsed and trial.exclusion_reason is None


def has_failed(trial: Trial) -> bool:
    """Whether a trial that tells has failed, or succeeded on a retry only."""
    return not trial.trains


def _times(failed: int, runs: int) -> str:
    return f"failed {failed} time{'s' if failed > 1 else ''} out of {runs}"


def _because(cause: str) -> str:
    return f": {cause}" if cause else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CAUSE else f"{line[: LONGEST_CAUSE - 3]}..."
