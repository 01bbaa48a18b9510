"""Optuna's tree-structured Parzen estimator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from arbo_bo.benchmarks.policies.history import MISS_PENALTY, RememberingPolicy, Run
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.experiment import Context, SearchSpace

if TYPE_CHECKING:
    from optuna.trial import Trial

PLACE = "place"


class TPEPolicy(RememberingPolicy):
    """`optuna.samplers.TPESampler` with its own defaults, minimising the score.

    What is suggested is the place in the list of allowed degrees, an integer: on measured runs that
    chose better than a categorical parameter, which knows no order. Where a run doesn't allow the
    suggested degree, it takes the nearest that it allows, and the study is told what was run. Runs
    that Optuna did not choose, such as the first two, are added to the study. Its first ten trials
    are random by default (`n_startup_trials`), the given ones counted.

    Optuna knows no context that is given rather than chosen, and the scores of large inputs and of
    small ones don't compare: the study is told T / gamma in place of T, the time of as much input
    as the first run had. Past the random trials that chose clearly better than the bare score on
    one measured set of varying sizes, and slightly worse on another. Cluster load stays out.

    With a deadline the score of a run that missed it counts ten times.

    Source: https://optuna.org; J. Bergstra, R. Bardenet, Y. Bengio, B. Kegl, "Algorithms for
    Hyper-Parameter Optimization", NeurIPS 2011.

    Args:
        setting: What is known of the task.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        with _quiet():
            import optuna

            self._place = optuna.distributions.IntDistribution(0, len(setting.space) - 1)
            sampler = optuna.samplers.TPESampler(seed=setting.seed)
            self._study = optuna.create_study(sampler=sampler)
        self._asked: tuple[Trial, int] | None = None

    def ask(self, context: Context, degrees: Sequence[int]) -> int:
        """The degree of Optuna's next trial."""
        with _quiet():
            self._give_up()
            trial = self._study.ask({PLACE: self._place})
        suggested = self.setting.space.degrees[trial.params[PLACE]]
        self._asked = trial, suggested
        return SearchSpace(tuple(degrees)).nearest(suggested)

    def tell(self, context: Context, parallelism: int, execution_time_s: float) -> None:
        """Tells the study: the trial that it asked for, or one that it did not."""
        import optuna

        super().tell(context, parallelism, execution_time_s)
        value = self._value(self.runs[-1])
        with _quiet():
            if self._asked is not None and self._asked[1] == parallelism:
                self._study.tell(self._asked[0], value)
                self._asked = None
                return
            self._give_up()
            place = self.setting.space.degrees.index(parallelism)
            trial = optuna.trial.create_trial(
                params={PLACE: place}, distributions={PLACE: self._place}, value=value
            )
            self._study.add_trial(trial)

    def _value(self, run: Run) -> float:
        """The score at the base input size, were the time proportional to the size."""
        scale = self.gamma(run.context) ** self.setting.objective.urgency
        penalty = MISS_PENALTY if self.missed(run) else 1.0
        return penalty * self.score(run) / float(scale)

    def _give_up(self) -> None:
        """Ends a trial that was asked for and is not run; the sampler ignores it then."""
        from optuna.trial import TrialState

        if self._asked is not None:
            self._study.tell(self._asked[0], state=TrialState.FAIL)
            self._asked = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the lines that Optuna logs for every study and trial."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
