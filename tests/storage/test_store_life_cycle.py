"""The life cycle of trials as a state machine: the store against a plain model of it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from arbo_bo.errors import TrialClosedError
from arbo_bo.experiment import Arm, Context, Experiment, Outcome, Phase, Trial, TrialStatus
from arbo_bo.storage.store import SQLTrialStore

OPEN = (TrialStatus.CANDIDATE, TrialStatus.RUNNING)
ENDS = {
    TrialStatus.COMPLETED: lambda trial: trial.complete(Outcome(2.0)),
    TrialStatus.FAILED: lambda trial: trial.fail("no luck"),
    TrialStatus.ABANDONED: lambda trial: trial.abandon(),
}


class TrialLifeCycle(RuleBasedStateMachine):
    """Adds and ends trials; the model is a list of degrees and statuses."""

    @initialize()
    def open(self) -> None:
        self.store = SQLTrialStore("sqlite://")
        self.store.configure("a", lambda _: Experiment("a"))
        self.model: list[tuple[int, TrialStatus]] = []

    @rule(degrees=st.lists(st.integers(1, 64), max_size=3), status=st.sampled_from(OPEN))
    def add(self, degrees: list[int], status: TrialStatus) -> None:
        made = [Trial("a", 0, status, Arm(s), Context(), Phase.ATTACHED) for s in degrees]
        added = self.store.add("a", made)
        assert [t.trial_index for t in added] == [len(self.model) + n for n in range(len(added))]
        self.model += [(s, status) for s in degrees]

    @precondition(lambda self: self.model)
    @rule(draw=st.data(), wanted=st.sampled_from(list(ENDS)))
    def end(self, draw: st.DataObject, wanted: TrialStatus) -> None:
        index = draw.draw(st.integers(0, len(self.model) - 1))
        degree, status = self.model[index]
        try:
            self.store.change("a", index, ENDS[wanted])
        except TrialClosedError:
            assert status not in (*OPEN, wanted)
        else:
            assert status in (*OPEN, wanted)
            self.model[index] = (degree, wanted)

    @invariant()
    def agrees(self) -> None:
        trials = self.store.trials("a")
        assert [(t.parallelism, t.status) for t in trials] == self.model
        done = [t for t in trials if t.status is TrialStatus.COMPLETED]
        assert self.store.experiment("a").model.sample_count == len(done)
        running = [t for t in trials if t.status is TrialStatus.RUNNING]
        assert self.store.running_workers() == sum(t.parallelism for t in running)
        failed = [t for t in trials if t.status is TrialStatus.FAILED]
        seen = {t.trial_index for t in [*running, *done[-2:], *failed[-2:]]}
        assert {t.trial_index for t in self.store.history("a", 2)} == seen

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


TestTrialLifeCycle = TrialLifeCycle.TestCase
TestTrialLifeCycle.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, database=None, derandomize=True
)
