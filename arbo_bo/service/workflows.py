"""Plans of whole workflows, from the runs that the store holds."""

import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arbo_bo.errors import InvalidValueError, WorkflowError
from arbo_bo.experiment import Experiment, Trial, WorkerTypes, validation
from arbo_bo.experiment.drafts import attached_trial
from arbo_bo.service.decisions import Decider
from arbo_bo.service.trials import Outcomes

if TYPE_CHECKING:
    from arbo_bo.planning import Plan, Workflow
    from arbo_bo.planning.forecast import Forecast
    from arbo_bo.planning.histories import Histories
    from arbo_bo.planning.workflow import Stage
    from arbo_bo.service.workflow_run import WorkflowRun


class WorkflowPlanning(Outcomes):
    """Plans workflows, and takes their runs in."""

    _decider: Decider

    def plan(
        self,
        workflow: "Workflow | str | os.PathLike[str]",
        goal: Any,
        *,
        planner: str = "chance",
        optimizations: Iterable[str] = ("clustering", "pre-load", "pre-warm"),
        input_sizes: Mapping[str, Any] | None = None,
        cluster_load: float | None = None,
    ) -> "Plan":
        """Chooses every stage's degree and worker type together; nothing is run or written.

        Args:
            workflow: The stages, or the file that describes them.
            goal: A `Deadline`, a `Budget`, `Mean()` or `Percentile(q)`, or several.
            planner: A planner's name.
            optimizations: What workers and data may do beside, by name.
            input_sizes: Sizes of this run's inputs by stage, or paths and URLs, beside those of the
                workflow.
            cluster_load: Workers that other workflows keep busy; None: unknown, and none of the
                workflow's capacity.

        Returns:
            The plan; where the goal cannot be kept, the plan that is most likely to.

        Raises:
            WorkflowError: The workflow is not sound.
            InvalidValueError: The goal is none.
            UnknownPlannerError: There is no such planner.
            InputSizeError: An input's size cannot be had, and there is no fallback.
        """
        from arbo_bo.planning.make import make_plan

        forecast = self.forecast(workflow, input_sizes=input_sizes, cluster_load=cluster_load)
        return make_plan(forecast, goal, planner, optimizations)

    def attach_workflow_run(
        self, workflow: "Workflow", stages: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Trial]:
        """Adds the completed stages of one workflow run from elsewhere.

        They are known to be of one run: what its stages share is learned from them, and how many
        parts each had made for the next. An unknown task is configured with its stage's degrees.

        Args:
            workflow: Whose run it was.
            stages: By stage the keyword arguments of `attach_trial`.

        Returns:
            The new trial of each stage.

        Raises:
            WorkflowError: The workflow has no such stage.
            InvalidValueError: A value is outside its domain; nothing was added.
        """
        workflow.ordered()
        if not stages:
            raise InvalidValueError("give the measured stages of the run, there are none")
        run_key, drafts = f"attached-{uuid.uuid4()}", {}
        experiments: dict[str, Experiment] = {}
        for name, row in stages.items():
            stage = workflow[name]
            if not isinstance(row, Mapping):
                raise InvalidValueError(
                    f"stage {name!r} needs the keyword arguments of attach_trial, got "
                    f"{validation.short(row)}"
                )
            if stage.experiment not in experiments:
                typed = row.get("worker_type") is not None
                experiments[stage.experiment] = self._experiment(
                    stage.experiment,
                    stage if typed else replace(stage, worker_types=WorkerTypes()),
                )
            try:
                drafts[name] = attached_trial(
                    experiments[stage.experiment], {**row, "run_key": run_key}
                )
            except InvalidValueError as err:
                raise type(err)(f"stage {name!r}: {err}") from err
        for experiment in experiments.values():
            self._stored(experiment)
        return {
            name: self.store.add(workflow[name].experiment, [draft])[0]
            for name, draft in drafts.items()
        }

    def workflow_run(self, plan: "Plan") -> "WorkflowRun":
        """Opens the trials of all stages of a plan, in one transaction under one run key.

        They are RUNNING from here. An unknown task is configured with its stage's degrees.

        Raises:
            ArboError: The store failed; no trial was made.
        """
        from arbo_bo.service.workflow_run import opened

        for stage in plan.stages:
            planned = None if plan.made is None else plan.made.forecast.workflow[stage.name]
            self._stored(self._experiment(stage.experiment, planned))
        return opened(self, plan)

    def _experiment(self, task: str, stage: "Stage | None") -> Experiment:
        """The task's experiment; one that is not stored yet has the stage's degrees and types."""
        (situation,) = self.store.situations([task])
        if situation is not None:
            return situation.experiment
        new = Experiment(task, namespace=self.store.namespace)
        if stage is None:
            return new
        space = stage.parallelism or new.search_space
        return replace(new, search_space=space, worker_types=stage.worker_types)

    def forecast(
        self,
        workflow: "Workflow | str | os.PathLike[str]",
        *,
        input_sizes: Mapping[str, Any] | None = None,
        cluster_load: float | None = None,
    ) -> "Forecast":
        """What any choice of degrees leads to, for planning several goals at once.

        Args:
            workflow: As in `plan`.
            input_sizes: As in `plan`.
            cluster_load: As in `plan`.
        """
        from arbo_bo.planning.formats import load_workflow
        from arbo_bo.planning.predicted import predicted
        from arbo_bo.planning.workflow import Workflow

        found = workflow if isinstance(workflow, Workflow) else load_workflow(workflow)
        found.ordered()
        load = None if cluster_load is None else validation.non_negative("load", cluster_load)
        sizes = self._sizes(found, input_sizes or {})
        return predicted(found, self._histories(found), sizes=sizes, cluster_load=load)

    def _histories(self, workflow: "Workflow") -> "Histories":
        from arbo_bo.planning.histories import Histories, history_of

        situations = self.store.situations(workflow.tasks)
        known = [history_of(s.experiment, s.trials) for s in situations if s is not None]
        return Histories(known, self.store.namespace)

    def _sizes(self, workflow: "Workflow", given: Mapping[str, Any]) -> dict[str, float]:
        """The sizes of this run's inputs, measured where a path or URL stands for one."""
        unknown = [name for name in given if name not in {s.name for s in workflow.stages}]
        if unknown:
            raise WorkflowError(
                f"input_sizes names {unknown[0]!r}, which is no stage of {workflow.name!r}"
            )
        sources = {s.name: given.get(s.name, s.input_size) for s in workflow.stages}
        found = {
            name: self._decider.size(source)
            for name, source in sources.items()
            if source is not None
        }
        return {name: size for name, size in found.items() if size is not None}
