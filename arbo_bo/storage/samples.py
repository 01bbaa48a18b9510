"""What completed trials and fits change in a task's row."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import AmdahlLaw, Learned, Trial, TrialStatus
from arbo_bo.storage import codec
from arbo_bo.storage.codec import Json
from arbo_bo.storage.transaction import Row, Transaction


@dataclass
class Samples:
    """A task's learned columns while trials are written.

    Attributes:
        law: The stored law, which residuals are taken from.
        base_input_size: N_base, or None.
        first_size: N_base, if it was found here.
        added: How many trials more train.
        learned: The columns of a fit.
        changed: Whether there is anything to write.
    """

    law: AmdahlLaw | None
    base_input_size: float | None
    added: int = 0
    first_size: float | None = None
    learned: Json = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def of(cls, row: Row) -> "Samples":
        """Starts from a row of `task_models`."""
        return cls(codec.law_of(row), row["base_input_size"])

    def count(self, trial: Trial, before: Trial | None = None) -> Trial:
        """Returns a trial as it is to be stored; one that trains counts as a sample.

        Args:
            trial: What it becomes.
            before: What it was; None: it is new.
        """
        trained = before is not None and before.trains
        if trial.trains != trained:
            self.added += 1 if trial.trains else -1
            self.changed = True
        if trial.trains and self.base_input_size is None and trial.input_size is not None:
            self.base_input_size = self.first_size = trial.input_size
            self.changed = True
        ended = before is None or before.status is not TrialStatus.COMPLETED
        if trial.status is not TrialStatus.COMPLETED or not ended:
            return trial
        gamma = trial.input_scale_factor
        if trial.input_size is not None:
            gamma = trial.context.gamma(self.base_input_size)
        return replace(trial, input_scale_factor=gamma, residual_s=self._residual_s(trial, gamma))

    def learn(self, learned: Learned) -> None:
        """Takes over what a fit found."""
        kept = codec.plain_json("hyperparameters", learned.hyperparameters)
        self.learned = {**codec.law_values(learned.law), "hyperparameters": kept}
        self.changed = True

    def save(self, transaction: Transaction, name: str) -> None:
        """Writes what has changed, on top of what others have written meanwhile."""
        if self.changed:
            unlearned = dict.fromkeys((*codec.LAW_COLUMNS, "hyperparameters"))
            transaction.run(
                "count_samples",
                name=name,
                added=self.added,
                first_size=self.first_size,
                last_updated=datetime.now(UTC),
                **{**unlearned, **self.learned},
            )

    def _residual_s(self, trial: Trial, gamma: float) -> float | None:
        if self.law is None or trial.execution_time_s is None or trial.worker_type is not None:
            return trial.residual_s  # with worker types the law is one of their CPUs
        try:
            expected = self.law.runtime_s(trial.parallelism, gamma)
        except InvalidValueError:  # gamma^k is more than a float holds
            return None
        return codec.finite(trial.execution_time_s - expected)
