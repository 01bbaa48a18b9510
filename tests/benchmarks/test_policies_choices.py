"""What every policy owes: allowed degrees, the same choices for the same seed, and sense."""

from collections.abc import Sequence

import numpy as np
import pytest

from arbo_bo.acquisition.registry import BUILTIN
from arbo_bo.benchmarks.policies import make_oracle, make_policy
from arbo_bo.benchmarks.policies.arbo import ArboPolicy
from arbo_bo.benchmarks.policies.ernest import ErnestPolicy
from arbo_bo.benchmarks.policies.history import cheapest_in_time
from arbo_bo.benchmarks.policies.tpe import TPEPolicy
from arbo_bo.benchmarks.protocol import Policy, Setting
from arbo_bo.experiment import Context, MaxExecutionTime, Objective, Residual, SearchSpace
from arbo_bo.generation import Generated, Request, generate_many

DEGREES = (1, 2, 4, 8, 16)
LEARNING = ("arbo", "arbo:additive", "online", "original", "ernest", "gp-ei")
SEEDED = ("random", "optuna-tpe", "gp-ei", "arbo", "online", "original")


class Amdahl:
    """A noise-free problem T = N (20 + 180 / s) with a U-turn of `slope` s; degrees alternate."""

    def __init__(self, slope: float = 0.0, sizes: Sequence[float] = (1.0,)) -> None:
        self.slope = slope
        self.sizes = sizes

    @property
    def name(self) -> str:
        return "amdahl"

    def degrees(self, run: int) -> Sequence[int]:
        return DEGREES if run % 2 else DEGREES[:4]

    def context(self, run: int) -> Context:
        return Context(input_size=self.sizes[run % len(self.sizes)], cluster_load=None)

    def expected_s(self, run: int, parallelism: int) -> float:
        size = self.sizes[run % len(self.sizes)]
        return size * (20 + 180 / parallelism) + self.slope * parallelism

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        return self.expected_s(run, parallelism)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        return float(self.expected_s(run, parallelism) <= limit_s)


def setting(seed: int = 0, deadline_s: float | None = None, urgency: float = 1.0) -> Setting:
    return Setting(SearchSpace(DEGREES), Objective(urgency), 5, seed, deadline_s)


def play(policy: Policy, problem: Amdahl, runs: int) -> list[int]:
    """Every run's degree; the first two are given."""
    chosen: list[int] = []
    rng = np.random.default_rng(0)
    for run in range(1, runs + 1):
        context, degrees = problem.context(run), problem.degrees(run)
        given = (degrees[0], degrees[len(degrees) // 2])
        s = given[run - 1] if run <= 2 else policy.ask(context, degrees)
        policy.tell(context, s, problem.draw_s(run, s, rng))
        chosen.append(s)
    return chosen


@pytest.mark.parametrize("name", [*LEARNING, "optuna-tpe", "random", "default"])
def test_only_allowed_degrees_are_chosen_when_they_differ_from_run_to_run(name: str) -> None:
    problem = Amdahl(slope=2.0, sizes=(1.0, 3.0))
    chosen = play(make_policy(name, setting()), problem, 9)
    assert all(s in problem.degrees(run) for run, s in enumerate(chosen, start=1))
    assert all(type(s) is int for s in chosen)


@pytest.mark.parametrize("name", SEEDED)
def test_choices_are_the_same_when_the_seed_is(name: str) -> None:
    problem = Amdahl(slope=2.0)
    first, second = (play(make_policy(name, setting(seed=3)), problem, 8) for _ in range(2))
    assert first == second


def test_choices_differ_when_the_seed_does() -> None:
    first, second = (play(make_policy("random", setting(seed=i)), Amdahl(), 20) for i in range(2))
    assert first != second


@pytest.mark.parametrize("name", LEARNING)
def test_the_best_degree_is_found_when_the_task_follows_the_law(name: str) -> None:
    chosen = play(make_policy(name, setting()), Amdahl(), 9)
    assert chosen[-1] == 8  # (20 + 180 / s) sqrt(s) is smallest at s = 9


@pytest.mark.parametrize("name", LEARNING)
def test_the_policy_can_start_when_no_run_is_given(name: str) -> None:
    assert make_policy(name, setting()).ask(Context(), DEGREES) in DEGREES


@pytest.mark.parametrize("name", LEARNING)
def test_a_deadline_takes_more_workers_when_the_cheapest_degree_misses_it(name: str) -> None:
    # 4 workers need 65 s, 8 need 42.5 s, 16 need 31.25 s; a = 0.5 alone would take one worker.
    policy = make_policy(name, setting(deadline_s=38.0, urgency=0.5))
    problem = Amdahl()
    for s in (*DEGREES, *DEGREES):
        policy.tell(Context(1.0), s, problem.expected_s(1, s))
    assert policy.ask(Context(1.0), DEGREES) == 16


@pytest.mark.parametrize("name", ["arbo", *(f"arbo:{a}" for a in BUILTIN if a != "budget")])
def test_arbo_keeps_a_deadline_by_its_own_strategy(name: str) -> None:
    policy = make_policy(name, setting(deadline_s=66.0, urgency=0.5))
    assert isinstance(policy, ArboPolicy)
    assert policy.experiment.strategy.slo == (MaxExecutionTime(66.0, 0.95),)
    assert policy.experiment.strategy.chooser == (name.partition(":")[2] or "knowledge_gradient")
    assert play(policy, Amdahl(), 9)[-1] in (4, 8, 16)  # 2 workers need 110 s


def test_the_default_is_the_nearest_allowed_degree_when_it_is_not_allowed() -> None:
    assert make_policy("default", setting()).ask(Context(), (1, 8, 16)) == 8


def test_the_oracle_takes_the_true_optimum_of_each_run_when_sizes_differ() -> None:
    problem = Amdahl(slope=5.0, sizes=(1.0, 10.0))
    chosen = play(make_oracle(problem, setting()), problem, 6)
    assert chosen[2:] == [8, 2, 8, 2]


@pytest.mark.parametrize(("deadline_s", "expected"), [(66.0, 4), (40.0, 16)])
def test_the_oracle_takes_the_cheapest_in_time_when_a_deadline_is_set(
    deadline_s: float, expected: int
) -> None:
    policy = make_oracle(Amdahl(), setting(deadline_s=deadline_s, urgency=0.5))
    assert policy.ask(Context(1.0), DEGREES) == expected


def test_ernest_recovers_its_own_law_when_runs_follow_it() -> None:
    policy = ErnestPolicy(setting())
    theta = np.array([7.0, 90.0, 3.0, 0.5])
    for size in (10.0, 20.0):
        for s in DEGREES:
            terms = np.array([1.0, size / 10 / s, np.log(s), s])
            policy.tell(Context(size), s, float(terms @ theta))
    assert policy.coefficients() == pytest.approx(theta)
    assert policy.predict_s([3], gamma=2.0) == pytest.approx([7 + 60 + 3 * np.log(3) + 1.5])


def test_ernest_measures_the_largest_degree_when_two_were_given() -> None:
    policy = ErnestPolicy(setting())
    policy.tell(Context(), 1, 200.0)
    policy.tell(Context(), 4, 65.0)
    assert policy.ask(Context(), DEGREES) == 16


@pytest.mark.parametrize("residual", list(Residual))
def test_arbo_decides_as_the_library_when_it_is_told_two_runs(residual: Residual) -> None:
    policy = ArboPolicy(setting(), residual=residual)
    policy.tell(Context(5.0), 1, 200.0)
    policy.tell(Context(10.0), 4, 130.0)
    model = policy.experiment.model
    assert (model.base_input_size, model.sample_count) == (5.0, 2)
    assert not model.hyperparameters
    assert policy.ask(Context(5.0), DEGREES) in DEGREES
    learned = policy.experiment.model
    assert learned.hyperparameters["residual"] == residual
    assert learned.law is not None
    assert learned.sample_count == 2


def test_arbo_keeps_what_it_learned_when_the_window_holds_one_degree() -> None:
    policy = ArboPolicy(setting())
    for s in DEGREES:
        policy.tell(Context(), s, 20 + 180 / s)
    policy.ask(Context(), DEGREES)
    kept = policy.experiment.model.hyperparameters
    for _ in range(50):
        policy.tell(Context(), 8, 42.5)
    assert policy.ask(Context(), DEGREES) == 8
    assert policy.experiment.model.hyperparameters == kept


def test_arbo_asks_the_library_itself_when_it_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def spy(requests: Sequence[Request]) -> list[Generated]:
        calls.append(len(requests))
        return generate_many(requests)

    monkeypatch.setattr("arbo_bo.generation.generate_many", spy)
    play(ArboPolicy(setting()), Amdahl(), 4)
    assert calls == [1, 1]


def test_tpe_learns_its_own_trial_and_what_ran_instead_when_told() -> None:
    policy = TPEPolicy(setting())
    policy.tell(Context(), 1, 200.0)
    own = policy.ask(Context(), DEGREES)
    policy.tell(Context(), own, 100.0)
    asked = policy.ask(Context(), DEGREES)
    policy.tell(Context(), next(s for s in DEGREES if s != asked), 90.0)
    states = [trial.state.name for trial in policy._study.trials]
    assert sorted(states) == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]


def test_tpe_counts_a_run_tenfold_when_it_missed_the_deadline() -> None:
    policy = TPEPolicy(setting(deadline_s=100.0))
    policy.tell(Context(), 4, 90.0)
    policy.tell(Context(), 4, 110.0)
    assert [trial.value for trial in policy._study.trials] == pytest.approx([180.0, 2200.0])


def test_ax_takes_the_best_known_degree_when_it_has_tried_each() -> None:
    policy = make_policy("ax", Setting(SearchSpace((1, 4, 8)), Objective(), 4, 0))
    for s in (1, 4):
        policy.tell(Context(1.0), s, 20 + 180 / s)
    chosen = []
    for _ in range(3):
        chosen.append(policy.ask(Context(1.0), (1, 4, 8)))
        policy.tell(Context(1.0), chosen[-1], 20 + 180 / chosen[-1])
    assert chosen[-1] == 8


def test_ax_keeps_to_the_context_when_sizes_vary() -> None:
    problem = Amdahl(sizes=(1.0, 3.0, 2.0))
    first, second = (play(make_policy("ax", setting()), problem, 6) for _ in range(2))
    assert first == second
    assert all(s in problem.degrees(run) for run, s in enumerate(first, start=1))


def test_the_fastest_degree_is_taken_when_none_keeps_the_deadline() -> None:
    assert cheapest_in_time((1, 2, 4), (1.0, 2.0, 3.0), (9.0, 5.0, 5.0), 3.0) == 2


def test_fewer_workers_are_taken_when_scores_are_equal() -> None:
    assert cheapest_in_time((1, 2, 4), (3.0, 2.0, 2.0), (9.0, 5.0, 4.0), None) == 2
