"""Replays, synthetic laws and wrappers."""

import math

import numpy as np
import pytest

from arbo_bo.benchmarks.problems import TimedProblem, middle
from arbo_bo.benchmarks.replay import Recording
from arbo_bo.benchmarks.seeds import derive, generator
from arbo_bo.benchmarks.sources.store import recording_of, recordings_of
from arbo_bo.benchmarks.synthetic import CLIFF_FACTOR, Shape, SyntheticTask, synthetic_tasks
from arbo_bo.benchmarks.truth import best, truths
from arbo_bo.benchmarks.wrappers import Drifting, Loaded, Noisy, Straggling, Wrapped
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context, Objective
from arbo_bo.service.optimizer import ArboOptimizer

TASK = Recording(
    "scan",
    (Context(1.0), Context(2.0, 4.0)),
    ({1: (10.0, 14.0), 2: (8.0,)}, {1: (20.0,), 4: (9.0, 11.0, 10.0)}),
)


def replay(context: Context) -> tuple[TimedProblem, int]:
    """A replay of `TASK`, and a run of it that is in this context."""
    problem = TASK.problem(0)
    return problem, next(r for r in range(1, 100) if problem.context(r) == context)


def test_seed_of_a_purpose_is_the_same_on_every_machine() -> None:
    assert derive("draw", "scan", 0, 1, 4) == 5132587276803124351


def test_middle_is_the_upper_of_two() -> None:
    assert [middle(d) for d in ([1, 2], [1, 2, 4], [1, 2, 4, 8])] == [2, 2, 4]


def test_contexts_are_the_same_for_every_replay_of_a_seed() -> None:
    first, second = TASK.problem(3), TASK.problem(3)
    backwards = [second.context(r) for r in range(30, 0, -1)]
    assert [first.context(r) for r in range(1, 31)] == backwards[::-1]


def test_contexts_differ_between_seeds_and_all_occur() -> None:
    sequences = [[TASK.problem(s).context(r) for r in range(1, 31)] for s in (0, 1)]
    assert sequences[0] != sequences[1]
    assert set(sequences[0]) == set(TASK.contexts)


def test_degrees_are_those_that_were_measured_in_the_context() -> None:
    problem, run = replay(Context(2.0, 4.0))
    assert list(problem.degrees(run)) == [1, 4]
    assert TASK.space.degrees == (1, 2, 4)


def test_draws_are_repeats_and_the_truth_is_their_mean() -> None:
    problem, run = replay(Context(2.0, 4.0))
    rng = generator("test")
    assert {problem.draw_s(run, 4, rng) for _ in range(100)} == {9.0, 10.0, 11.0}
    assert problem.expected_s(run, 4) == 10.0
    assert problem.probability_within(run, 4, 10.0) == pytest.approx(2 / 3)


def test_best_is_the_lowest_score_when_there_is_no_deadline() -> None:
    problem, run = replay(Context(2.0, 4.0))
    assert best(truths(problem, run, Objective())).parallelism == 1  # 20 against 10 sqrt(4)
    assert best(truths(problem, run, Objective(2.0, 1.0))).parallelism == 1
    assert best(truths(problem, run, Objective(2.0, 0.5))).parallelism == 4


@pytest.mark.parametrize(
    ("deadline", "right"),
    [(25.0, 1), (15.0, 4), (10.0, 4), (1.0, 1)],
    ids=["all hold it", "one holds it", "likeliest", "hopeless: the cheapest"],
)
def test_best_under_a_deadline(deadline: float, right: int) -> None:
    problem, run = replay(Context(2.0, 4.0))
    assert best(truths(problem, run, Objective(), deadline, 0.95)).parallelism == right


def test_noise_keeps_the_mean_and_spreads_the_times() -> None:
    inner, run = replay(Context(2.0, 4.0))
    problem = Noisy(inner, sigma=0.3)
    rng = generator("noise")
    times = [problem.draw_s(run, 1, rng) for _ in range(20_000)]
    assert np.mean(times) == pytest.approx(20.0, rel=0.01)
    assert np.std(np.log(times)) == pytest.approx(0.3, rel=0.03)
    assert problem.expected_s(run, 1) == 20.0
    within = np.mean(np.array(times) <= 22.0)
    assert problem.probability_within(run, 1, 22.0) == pytest.approx(within, abs=0.02)


def test_drift_begins_at_its_run_and_stays() -> None:
    task = SyntheticTask(Shape.AMDAHL, 0, sizes=(50.0,), sigma=0.0)
    problem = Drifting(task.problem(0), at_run=4, factor_after=3.0)
    ratios = [problem.expected_s(r, 4) / task.law_s(4, 50.0) for r in range(1, 7)]
    assert ratios == pytest.approx([1, 1, 1, 3, 3, 3])
    assert problem.draw_s(5, 4, generator("x")) == pytest.approx(3 * task.law_s(4, 50.0))
    assert problem.probability_within(5, 4, 2.9 * task.law_s(4, 50.0)) == 0.0


def test_stragglers_take_ten_times_as_long_now_and_then() -> None:
    task = SyntheticTask(Shape.AMDAHL, 0, sizes=(50.0,), sigma=0.0)
    problem = Straggling(task.problem(0), probability=0.2)
    rng, usual = generator("stragglers"), task.law_s(4, 50.0)
    ratios = [problem.draw_s(1, 4, rng) / usual for _ in range(5000)]
    assert set(np.round(ratios, 9)) == {1.0, 10.0}
    assert np.mean(np.array(ratios) > 5) == pytest.approx(0.2, abs=0.02)
    assert problem.expected_s(1, 4) == usual
    assert problem.probability_within(1, 4, 2 * usual) == pytest.approx(0.8)


def test_load_is_seen_and_slows_every_degree() -> None:
    inner = SyntheticTask(Shape.AMDAHL, 0, sizes=(50.0,), sigma=0.0).problem(0)
    problem = Loaded(inner, loads=(0.0, 8.0), slowdown_per_worker=0.05, seed=1)
    ratios = {
        problem.context(r).cluster_load: problem.expected_s(r, 4) / inner.expected_s(r, 4)
        for r in range(1, 30)
    }
    assert ratios == {0.0: 1.0, 8.0: pytest.approx(1.4)}


def test_wrapped_source_names_itself_after_the_task() -> None:
    source = Wrapped(TASK, Straggling, {"probability": 0.5}, "with stragglers")
    assert source.name == "scan with stragglers"
    assert source.space == TASK.space
    assert source.problem(1).name == "scan"


def test_shapes_take_turns() -> None:
    assert [t.shape for t in synthetic_tasks(6)] == [*Shape, Shape.AMDAHL]


def test_usl_is_slower_again_past_its_best() -> None:
    task = SyntheticTask(Shape.USL, 0)
    times = [task.law_s(s, 50.0) for s in task.space.degrees]
    assert min(times) < times[-1]


def test_superlinear_task_halves_its_work_time_by_more_than_two() -> None:
    task = SyntheticTask(Shape.SUPERLINEAR, 0)
    work = [task.law_s(s, 50.0) - task.parameters.c_s for s in (2, 4)]
    assert work[0] / work[1] > 2


def test_memory_cliff_slows_the_smallest_degrees_tenfold() -> None:
    task, plain = SyntheticTask(Shape.CLIFF, 0), SyntheticTask(Shape.AMDAHL, 0)
    object.__setattr__(plain, "parameters", task.parameters)
    ratios = [task.law_s(s, 50.0) / plain.law_s(s, 50.0) for s in task.space.degrees]
    assert ratios[0] == pytest.approx(CLIFF_FACTOR)
    assert ratios[-1] == 1.0


def test_size_independent_task_takes_the_same_time_for_every_size() -> None:
    task = SyntheticTask(Shape.SIZE_INDEPENDENT, 0)
    assert len({task.law_s(4, size) for size in task.sizes}) == 1


def test_synthetic_noise_has_the_law_as_its_mean() -> None:
    problem = SyntheticTask(Shape.AMDAHL, 0, sigma=0.2).problem(0)
    rng = generator("law")
    times = np.array([problem.draw_s(1, 4, rng) for _ in range(20_000)])
    assert times.mean() == pytest.approx(problem.expected_s(1, 4), rel=0.01)
    limit = problem.expected_s(1, 4)
    assert problem.probability_within(1, 4, limit) == pytest.approx(
        np.mean(times <= limit), abs=0.015
    )


def test_store_replays_what_was_measured_and_says_what_was_not(sqlite_url: str) -> None:
    arbo = ArboOptimizer(sqlite_url)
    arbo.configure_experiment("nightly", parallelism=[1, 2, 4, 8])
    rows = [(1, 100.0, 50.0), (2, 103.0, 30.0), (4, 98.0, 20.0), (1, 900.0, 400.0)]
    arbo.attach_trials(
        "nightly",
        [
            {"parallelism": s, "input_size": size, "execution_time_s": t, "cluster_load": 0.0}
            for s, size, t in rows
        ],
    )
    arbo.configure_experiment("idle")
    read = recordings_of(arbo)
    (task,) = read.tasks
    assert task.times_s == ({1: (50.0,), 2: (30.0,), 4: (20.0,)},)
    assert task.contexts[0].input_size == pytest.approx(math.prod((100, 103, 98)) ** (1 / 3))
    assert "3 of 4 completed runs can be replayed, at 1, 2, 4 workers" in read.notes[1]
    assert "1 of 4 allowed degrees never ran (8)" in read.notes[1]
    assert "skipped" in read.notes[0]
    assert recording_of(arbo.experiment("idle"), [])[0] is None


def test_error_when_the_store_holds_nothing_to_choose(sqlite_url: str) -> None:
    with pytest.raises(InvalidValueError, match="no task with completed runs at two degrees"):
        recordings_of(ArboOptimizer(sqlite_url))
