"""Takes a decision with optimistic concurrency: read, decide, write; again on a conflict."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from arbo_bo.errors import (
    ArboError,
    ExperimentNotFoundError,
    NotEnoughObservationsError,
    StaleDecisionError,
)
from arbo_bo.experiment import Context, Decision, Experiment, Prediction, Trial
from arbo_bo.experiment.decision_record import decision_of
from arbo_bo.experiment.drafts import running_trial

if TYPE_CHECKING:
    from arbo_bo import generation
    from arbo_bo.context import LoadSource, SizeSource
    from arbo_bo.context.input_size import Fallback
    from arbo_bo.generation import Generated
    from arbo_bo.storage import TrialStore
    from arbo_bo.storage.protocol import Situation

logger = logging.getLogger("arbo_bo")

DECISIONS_AT_MOST = 4
"""How often a suggestion is decided while others change the task; the last time it stands."""


@dataclass(frozen=True)
class Request:
    """What is asked of a decision; see `ArboOptimizer.suggest`.

    Attributes:
        task: The task's name.
        given: What is known of the context without the store.
        max_parallelism: The most workers that there are now.
        idempotency_key: Names this request.
        run_key: Names the run that the trial belongs to.
    """

    task: str
    given: Context
    max_parallelism: int | None = None
    idempotency_key: str | None = None
    run_key: str | None = None


class Decider:
    """Joins the store, the sources of the context, and the generation of candidates.

    Args:
        store: Where experiments and trials are kept.
        cluster_load: As in `ArboOptimizer`.
        input_size_fallback: As in `ArboOptimizer`.
    """

    def __init__(
        self,
        store: "TrialStore",
        cluster_load: "LoadSource | None",
        input_size_fallback: "Fallback",
    ) -> None:
        self.store = store
        self._cluster_load, self._input_size_fallback = cluster_load, input_size_fallback

    def context(self, input_size: "SizeSource | None", cluster_load: float | None) -> Context:
        """What is given, and what sources outside of the store say."""
        from arbo_bo.context import cluster_load_of

        size = self.size(input_size)
        if cluster_load is None and self._cluster_load is not None:
            cluster_load = cluster_load_of(self._cluster_load)
        return Context(size, cluster_load)

    def size(self, input_size: "SizeSource | None") -> float | None:
        """The input's size, measured where it lies.

        Raises:
            InputSizeError: It cannot be had, and there is no fallback.
        """
        from arbo_bo.context import input_size_of

        return input_size_of(input_size, self._input_size_fallback)

    def suggest(self, request: Request) -> Decision:
        """Decides, and starts the trial; where the task has changed meanwhile, again."""
        for _ in range(DECISIONS_AT_MOST - 1):
            with suppress(StaleDecisionError):
                return self._attempt(request)
        return self._attempt(request, stands=True)

    def suggest_many(self, requests: Sequence[Request]) -> list[Decision]:
        """Decides for several tasks with one read, one batch of fits and one write.

        Each decision sees the cluster as it was before any of them. A task that is new, is asked
        for twice, or has changed meanwhile, is decided by itself. One that cannot be decided is
        left out, and the log says why.
        """
        from arbo_bo.storage.protocol import Start

        names = [r.task for r in requests]
        situations = self.store.situations(names)
        if any(s is not None and s.lapsed for s in situations) and self.store.abandon_lapsed():
            situations = self.store.situations(names)
        first: dict[str, tuple[int, Situation]] = {}
        for i, (name, situation) in enumerate(zip(names, situations, strict=True)):
            if situation is not None:
                first.setdefault(name, (i, situation))
        asked = [self._asked(situation, requests[i]) for i, situation in first.values()]
        generated = _generated(asked)
        left_out = {r.experiment.name for r, made in zip(asked, generated, strict=True) if not made}
        pairs = zip(first.values(), asked, generated, strict=True)
        made_of = {i: (made, of, at) for (i, at), of, made in pairs if made is not None}
        starts = [
            Start(
                requests[i].task,
                self._draft(made, of, requests[i]),
                made.learned,
                situation.experiment.model.version,
            )
            for i, (made, of, situation) in made_of.items()
        ]
        found: dict[int, Decision] = {}
        started = self.store.start_many(starts)
        for i, trial in zip(made_of, started, strict=True):
            if trial is not None:
                found[i] = self._started(made_of[i][0].decision, trial)
        try:
            return [
                found[i] if i in found else self.suggest(r)
                for i, r in enumerate(requests)
                if r.task not in left_out
            ]
        except Exception:
            # Nobody will run what nobody is told of.
            changes = [
                (d.task, d.trial_id or d.trial_index or 0, _given_up) for d in found.values()
            ]
            with suppress(ArboError):
                self.store.change_many(changes)
            raise

    def decide(
        self, task: str, input_size: "SizeSource | None", cluster_load: float | None
    ) -> Decision:
        """What `suggest` would decide now, without a trial.

        Raises:
            ExperimentNotFoundError: There is no such task.
            NotEnoughObservationsError: No trial is completed yet.
        """
        from arbo_bo.generation import generate

        experiment = self._standing_in(self.store.experiment(task))
        if not experiment.model.sample_count:
            raise NotEnoughObservationsError(f"{task!r} has no completed run yet")
        trials = self.store.history(task, experiment.window)
        context = self._with_load(self.context(input_size, cluster_load))
        return generate(experiment, trials, context).decision

    def predict(
        self,
        task: str,
        parallelism: int | Sequence[int] | None,
        input_size: "SizeSource | None",
        cluster_load: float | None,
    ) -> list[Prediction]:
        """The next run's time at some allowed degrees, on each worker type; None: at all."""
        from arbo_bo.generation import predict

        experiment = self._standing_in(self.store.experiment(task))
        allowed = experiment.allowed
        degrees = allowed.degrees if parallelism is None else allowed.subset(parallelism)
        asked = [arm for s in degrees for arm in experiment.arms if arm.parallelism == s]
        if parallelism is None:
            asked = list(experiment.arms)
        trials = self.store.history(task, experiment.window)
        context = self._with_load(self.context(input_size, cluster_load))
        return predict(experiment, trials, asked, context)

    def _attempt(self, request: Request, stands: bool = False) -> Decision:
        """One decision.

        Args:
            request: What is asked.
            stands: Whether the decision holds even if the task has changed meanwhile.

        Raises:
            StaleDecisionError: It has, and the decision does not hold.
        """
        situation = self._situation(request)
        experiment = situation.experiment
        if situation.started is not None:
            return decision_of(situation.started, experiment.residual)
        from arbo_bo.generation import generate

        asked = self._asked(situation, request)
        generated = generate(asked.experiment, asked.trials, asked.context)
        draft = self._draft(generated, asked, request)
        version = None if stands else experiment.model.version
        trial, is_new = self.store.start(request.task, draft, generated.learned, version)
        if not is_new:
            return decision_of(trial, experiment.residual)
        return self._started(generated.decision, trial)

    def _started(self, decision: Decision, trial: Trial) -> Decision:
        """The decision with its trial's identity."""
        logger.info("%s, trial %d: %s", trial.task, trial.trial_index, decision.reason)
        return replace(decision, trial_index=trial.trial_index, trial_id=trial.trial_id)

    def _draft(
        self, generated: "Generated", asked: "generation.Request", request: Request
    ) -> Trial:
        """The trial of a decision, without an index."""
        return running_trial(
            generated.decision,
            asked.context,
            asked.experiment.lease_of(generated.decision.predicted_time_s),
            request.given.cluster_load,
            request.idempotency_key,
            request.run_key,
        )

    def _situation(self, request: Request) -> "Situation":
        """What a decision looks at, runs past their lease abandoned; a new task is configured."""
        task, key = request.task, request.idempotency_key
        try:
            situation = self.store.situation(task, key)
        except ExperimentNotFoundError:
            new = Experiment(task, namespace=self.store.namespace)
            self.store.configure(task, lambda stored: stored or new)
            situation = self.store.situation(task, key)
        if situation.lapsed and self.store.abandon_lapsed():
            situation = self.store.situation(task, key)
        return situation

    def _asked(self, situation: "Situation", request: Request) -> "generation.Request":
        """What a decision is taken from, as things stand."""
        from arbo_bo import generation

        experiment = self._standing_in(situation.experiment)
        if request.max_parallelism is not None:
            experiment = experiment.up_to(request.max_parallelism)
        superseded = [t for t in situation.trials if t.is_superseded_by(request.run_key)]
        others = [t for t in situation.trials if not t.is_superseded_by(request.run_key)]
        workers = situation.running_workers - sum(t.parallelism for t in superseded)
        context = self._with_load(request.given, max(0, workers))
        return generation.Request(experiment, others, context)

    def _with_load(self, context: Context, workers: int | None = None) -> Context:
        """The context with the load that the store sees: `workers`, or what it says now.

        Where another source is asked, its "unknown" stays: the store's answer would be another
        quantity than the one that the model has learned from.
        """
        if context.cluster_load is not None or self._cluster_load is not None:
            return context
        seen = self.store.running_workers() if workers is None else workers
        return replace(context, cluster_load=float(seen))

    def _standing_in(self, experiment: Experiment) -> Experiment:
        """The experiment with its sibling's law, while its own runs have not told theirs.

        The first fit keeps the sibling's hyperparameters as the prior of the next, marked with
        where they come from; a window of two degrees replaces them.
        """
        like = experiment.strategy.like
        if like is None or experiment.model.hyperparameters:
            return experiment
        try:
            sibling = self.store.experiment(like).model
        except ExperimentNotFoundError:
            logger.warning("%s: there is no task %r to be like any more", experiment.name, like)
            return experiment
        if not sibling.hyperparameters:
            return experiment
        marked = {**sibling.hyperparameters, "like": like}
        model = replace(experiment.model, law=sibling.law, hyperparameters=marked)
        return replace(experiment, model=model)


def _generated(asked: Sequence["generation.Request"]) -> "list[generation.Generated | None]":
    """The decisions, as one batch; None for a task that cannot be decided, unless none can be."""
    from arbo_bo.generation import generate_many

    try:
        return list(generate_many(asked))
    except ArboError:
        if len(asked) == 1:
            raise
    found: list[generation.Generated | None] = []
    for one in asked:
        try:
            found += generate_many([one])
        except ArboError as err:
            logger.warning("%s is left out: %s", one.experiment.name, err)
            found.append(None)
            problem = err
    if not any(found):
        raise problem
    return found


def _given_up(trial: Trial) -> Trial:
    return trial.abandon("another task of its batch could not be decided")
