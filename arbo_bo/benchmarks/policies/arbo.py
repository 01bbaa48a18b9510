"""The library itself as a policy."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from arbo_bo.benchmarks.policies.history import RememberingPolicy, Run
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import (
    Arm,
    Candidate,
    Context,
    Experiment,
    MaxExecutionTime,
    Phase,
    SearchSpace,
    TaskModel,
    Trial,
    TrialStatus,
)
from arbo_bo.numerics.priors import DEFAULT_PRIORS, Priors

TASK = "task"


class ArboPolicy(RememberingPolicy):
    """`arbo_bo.generation.generate` on a history in memory, as `ArboOptimizer` calls it on a store.

    What a fit learned is kept for the next one, and the base input size and the number of samples
    are counted, as the store does.

    A deadline is a service level of the experiment, `MaxExecutionTime`, so that the library's own
    strategy keeps it.

    Args:
        setting: What is known of the task.
        priors: Every constant of the numerics.
        settings: Of the `Experiment` and of its `Strategy`, where they are not the defaults.

    Raises:
        InvalidValueError: A setting is outside its domain.
    """

    def __init__(self, setting: Setting, priors: Priors = DEFAULT_PRIORS, **settings: Any) -> None:
        super().__init__(setting)
        self.priors = priors
        experiment = Experiment(
            # What an acquisition function draws at random is seeded by the name.
            f"{TASK} {setting.seed}",
            search_space=setting.space,
            default_parallelism=setting.default_parallelism,
            objective=setting.objective,
        )
        if setting.deadline_s is not None:
            settings = {"slo": MaxExecutionTime(setting.deadline_s, setting.confidence)} | settings
        self.experiment = experiment.changed(settings)
        self.candidates: tuple[Candidate, ...] = ()
        """What the last decision was between; empty after an opening move."""

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        """Keeps the run, and counts it."""
        super().tell(context, parallelism, execution_time_s)
        self._set(
            replace(
                self.experiment.model,
                base_input_size=self.base_input_size,
                sample_count=len(self.runs),
            )
        )

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The library's decision among the degrees that this run allows."""
        from arbo_bo.generation import Request, generate_many

        experiment = replace(self.experiment, search_space=SearchSpace(tuple(degrees)))
        newest = list(enumerate(self.runs))[-experiment.window :]
        trials = [_trial(i, run) for i, run in newest]
        (generated,) = generate_many([Request(experiment, trials, context, self.priors)])
        if (learned := generated.learned) is not None:
            self._set(
                replace(
                    self.experiment.model, law=learned.law, hyperparameters=learned.hyperparameters
                )
            )
        self.candidates = generated.decision.candidates
        return generated.decision.parallelism

    def _set(self, model: TaskModel) -> None:
        self.experiment = replace(self.experiment, model=model)


def _trial(index: int, run: Run) -> Trial:
    return Trial(
        task=TASK,
        trial_index=index,
        status=TrialStatus.COMPLETED,
        arm=Arm(run.parallelism),
        context=run.context,
        phase=Phase.ATTACHED,
        execution_time_s=run.execution_time_s,
    )
