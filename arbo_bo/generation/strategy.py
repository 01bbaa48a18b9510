"""Baseline, probe, optimize: the role of Ax's generation strategy, without its state."""

from collections.abc import Sequence
from dataclasses import dataclass

from arbo_bo.experiment import (
    Context,
    Decision,
    Estimator,
    Experiment,
    Learned,
    Phase,
    Prediction,
    Trial,
)
from arbo_bo.generation.opening import opening_move
from arbo_bo.generation.reason import opening_reason, optimize_reason
from arbo_bo.generation.surrogate import EXPECTED_COST, fit


@dataclass(frozen=True)
class Generated:
    """A decision, and what was learned on the way; the caller saves both."""

    decision: Decision
    learned: Learned | None = None


def generate(experiment: Experiment, trials: Sequence[Trial], context: Context) -> Generated:
    """Decides the degree of the next run.

    Args:
        experiment: Configuration and what was learned before.
        trials: The task's history by index, of any status: the newest window of completed trials
            trains the model, running and failed ones tell which opening degrees were tried.
        context: Input size and cluster load of the next run.
    """
    gamma = context.gamma(experiment.model.base_input_size)
    move = opening_move(experiment, trials)
    has_data = any(t.trains for t in trials)
    if move is not None:
        degree, phase = move
        decision = Decision(
            task=experiment.name,
            parallelism=degree,
            phase=phase,
            reason=opening_reason(experiment, degree, phase, has_data),
            input_scale_factor=gamma,
            cluster_load=context.cluster_load,
        )
        return Generated(decision)
    surrogate = fit(experiment, trials)
    candidates = surrogate.candidates(
        experiment.search_space.degrees, experiment.objective, context
    )
    best = min(candidates, key=lambda c: (c.log_score, c.parallelism))
    learned = surrogate.learned(experiment)
    decision = Decision(
        task=experiment.name,
        parallelism=best.parallelism,
        phase=Phase.OPTIMIZE,
        reason=optimize_reason(experiment, best, candidates),
        acquisition=EXPECTED_COST if experiment.estimator is Estimator.GP else None,
        input_scale_factor=gamma,
        cluster_load=context.cluster_load,
        prediction=best.prediction,
        candidates=tuple(candidates),
        law=learned.law,
    )
    return Generated(decision, learned)


def predict(
    experiment: Experiment, trials: Sequence[Trial], degrees: Sequence[int], context: Context
) -> list[Prediction]:
    """The next run's time at each degree, the noise of a run included.

    Raises:
        NotEnoughObservationsError: No trial is completed.
    """
    return fit(experiment, trials).predict(degrees, context)
