"""A run of a whole workflow: its stages' trials, opened together."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import WorkflowError
from arbo_bo.experiment import Context, Decision, Phase, Trial
from arbo_bo.experiment.drafts import running_trial

if TYPE_CHECKING:
    from arbo_bo.planning import Plan, StagePlan
    from arbo_bo.service.trials import Outcomes


class WorkflowRun(Mapping[str, Trial]):
    """The trials of one run, by stage; each stage's outcome closes its own.

    Attributes:
        run_key: What they share.
        plan: What they were opened for.
    """

    def __init__(
        self, arbo: "Outcomes", plan: "Plan", run_key: str, trials: Mapping[str, Trial]
    ) -> None:
        self.run_key, self.plan = run_key, plan
        self._arbo, self._trials = arbo, dict(trials)

    def __getitem__(self, stage: str) -> Trial:
        try:
            return self._trials[stage]
        except KeyError as err:
            raise WorkflowError(f"the run {self.run_key} has no stage {stage!r}") from err

    def __contains__(self, stage: object) -> bool:
        return stage in self._trials

    def __iter__(self) -> Iterator[str]:
        return iter(self._trials)

    def __len__(self) -> int:
        return len(self._trials)

    def complete(self, stage: str, *, execution_time_s: float, **outcome: Any) -> Trial:
        """Records what a stage took; see `ArboOptimizer.complete_trial`."""
        task, trial = self._named(stage)
        return self._arbo.complete_trial(task, trial, execution_time_s=execution_time_s, **outcome)

    def fail(self, stage: str, *, reason: str | None = None) -> Trial:
        """Records that a stage failed; see `ArboOptimizer.mark_trial_failed`."""
        task, trial = self._named(stage)
        return self._arbo.mark_trial_failed(task, trial, reason=reason)

    def abandon(self, stage: str, *, reason: str | None = None) -> Trial:
        """Records that a stage's outcome will never be known."""
        task, trial = self._named(stage)
        return self._arbo.mark_trial_abandoned(task, trial, reason=reason)

    def _named(self, stage: str) -> tuple[str, int | str]:
        trial = self[stage]
        return trial.task, trial.trial_id or trial.trial_index


def opened(arbo: "Outcomes", plan: "Plan") -> WorkflowRun:
    """Opens the trials of all stages in one transaction."""
    from arbo_bo.storage.protocol import Start

    run_key = f"{plan.workflow}-{uuid.uuid4()}"
    starts = [Start(s.experiment, _draft(arbo, plan, s, run_key)) for s in plan.stages]
    trials = arbo.store.start_many(starts)
    found = {s.name: t for s, t in zip(plan.stages, trials, strict=True) if t is not None}
    return WorkflowRun(arbo, plan, run_key, found)


def _draft(arbo: "Outcomes", plan: "Plan", stage: "StagePlan", run_key: str) -> Trial:
    """The trial of one stage, without an index."""
    experiment = arbo.store.experiment(stage.experiment)
    context = Context(stage.input_size)
    kind = stage.worker_type
    if kind not in experiment.worker_types:  # planned by the stage's own names, or by none
        kind = experiment.nearest_arm(stage.parallelism).worker_type
    decision = Decision(
        task=stage.experiment,
        parallelism=stage.parallelism,
        phase=Phase.FIXED,
        worker_type=kind,
        reason=f"planned by {plan.planner} for {plan.target}",
        input_scale_factor=context.gamma(experiment.model.base_input_size),
        objective=experiment.objective,
        strategy=experiment.strategy,
    )
    # A stage late in the workflow begins long after its trial: its lease covers both.
    lease: timedelta = experiment.lease_of(stage.start_s + stage.duration.mean_s)
    return running_trial(decision, context, lease, None, None, run_key)
