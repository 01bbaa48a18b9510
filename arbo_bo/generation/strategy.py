"""Baseline, probe, optimize: the role of Ax's generation strategy, without its state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arbo_bo.experiment import (
    Arm,
    Context,
    Decision,
    Experiment,
    Learned,
    Phase,
    Prediction,
    Trial,
)
from arbo_bo.generation.choice import choose
from arbo_bo.generation.opening import opening_move
from arbo_bo.generation.outcomes import FailureEvidence
from arbo_bo.generation.reason import fixed_reason, opening_reason, optimize_reason
from arbo_bo.generation.surrogate import fit, fit_all
from arbo_bo.generation.window import Surrogate
from arbo_bo.numerics.priors import DEFAULT_PRIORS, Priors


@dataclass(frozen=True)
class Generated:
    """A decision, and what was learned on the way; the caller saves both."""

    decision: Decision
    learned: Learned | None = None


@dataclass(frozen=True)
class Request:
    """What a decision is taken from.

    Attributes:
        experiment: Configuration and what was learned before.
        trials: The task's history by index, of any status.
        context: Input size and cluster load of the next run.
        priors: Every constant of the numerics.
    """

    experiment: Experiment
    trials: Sequence[Trial]
    context: Context
    priors: Priors = DEFAULT_PRIORS

    def of_known_types(self) -> "Request":
        """The request with the trials on worker types that the task has now."""
        known = [t for t in self.trials if self.experiment.knows(t)]
        return self if len(known) == len(self.trials) else replace(self, trials=known)


def generate_many(requests: Sequence[Request]) -> list[Generated]:
    """Decides the next run of several tasks; what is to be fitted is fitted as one batch.

    Args:
        requests: One a task; see `generate`.

    Raises:
        UnknownAcquisitionError: A strategy's acquisition function is not installed here.
    """
    requests = [r.of_known_types() for r in requests]
    moves = [opening_move(r.experiment, r.trials, r.context) for r in requests]
    asked = [r for r, move in zip(requests, moves, strict=True) if move is None]
    surrogates = iter(fit_all([(r.experiment, r.trials, r.priors) for r in asked]))
    return [
        _optimized(r, next(surrogates)) if move is None else _opened(r, *move)
        for r, move in zip(requests, moves, strict=True)
    ]


def generate(experiment: Experiment, trials: Sequence[Trial], context: Context) -> Generated:
    """Decides the degree of the next run.

    Args:
        experiment: Configuration and what was learned before.
        trials: The task's history by index, of any status: the newest window of completed trials
            trains the model, running and failed ones tell which opening degrees were tried, and
            running ones count as pending.
        context: Input size and cluster load of the next run.

    Raises:
        UnknownAcquisitionError: The strategy's acquisition function is not installed here.
    """
    return generate_many([Request(experiment, trials, context)])[0]


def _opened(request: Request, arm: Arm, phase: Phase) -> Generated:
    failures = FailureEvidence.of(request.experiment, request.trials, request.context)
    reason = opening_reason(request.experiment, arm, phase, failures)
    return Generated(_decision(request.experiment, request.context, arm, phase, reason))


def _optimized(request: Request, surrogate: Surrogate) -> Generated:
    experiment, trials, context = request.experiment, request.trials, request.context
    learned = surrogate.learned(experiment)
    choice = choose(experiment, surrogate, trials, context, learned.law)
    decision = replace(
        _decision(
            experiment,
            context,
            choice.best.arm,
            Phase.OPTIMIZE,
            optimize_reason(experiment, choice),
        ),
        acquisition=choice.chooser,
        prediction=choice.best.prediction,
        candidates=choice.candidates,
        law=learned.law,
        anomalies=surrogate.anomalies(),
        hypotheses=choice.weighed.hypotheses if choice.weighed else (),
    )
    return Generated(_fixed(experiment, decision), learned)


def _decision(
    experiment: Experiment, context: Context, arm: Arm, phase: Phase, reason: str
) -> Decision:
    return Decision(
        task=experiment.name,
        parallelism=arm.parallelism,
        worker_type=arm.worker_type,
        phase=phase,
        reason=reason,
        input_scale_factor=context.gamma(experiment.model.base_input_size),
        cluster_load=context.cluster_load,
        objective=experiment.objective,
        strategy=experiment.strategy,
        default_parallelism=experiment.probe_parallelism,
    )


def _fixed(experiment: Experiment, decision: Decision) -> Decision:
    """The decision under a pin or a dry run: another degree runs, the choice is recorded."""
    arm = experiment.fixed_arm
    if arm is None:
        return decision
    recommended = decision.arm
    (prediction,) = (c.prediction for c in decision.candidates if c.arm == arm)
    return replace(
        decision,
        parallelism=arm.parallelism,
        worker_type=arm.worker_type,
        phase=Phase.FIXED,
        reason=fixed_reason(experiment, arm, recommended),
        acquisition=None,
        prediction=prediction,
        recommended_parallelism=recommended.parallelism,
        recommended_worker_type=recommended.worker_type,
    )


def predict(
    experiment: Experiment, trials: Sequence[Trial], arms: Sequence[Arm], context: Context
) -> list[Prediction]:
    """The next run's time at each arm, the noise of a run included.

    Raises:
        NotEnoughObservationsError: No trial is completed.
    """
    request = Request(experiment, trials, context).of_known_types()
    return fit(experiment, request.trials).predict(arms, context)
