"""From states and markers to what became of a stage."""

import re

import pytest

from arbo_bo.integrations.airflow.evidence import StageEvidence

WORK = "work"


def row(index, state="success", duration=1.0, task=WORK):
    return {"task_id": task, "map_index": index, "state": state, "duration": duration}


def begin(index, task=WORK):
    return {"task_id": task, "map_index": index, "start": 100.0 + index}


def end(index, retried=False, task=WORK, start=None, ended=None):
    start = 100.0 + index if start is None else start
    ended = start + 2.0 if ended is None else ended
    return {"task_id": task, "map_index": index, "start": start, "end": ended, "retried": retried}


def judge(
    rows, begins=(), ends=(), indices=range(2), tasks=(WORK,), measure="makespan", limits=None
):
    evidence = StageEvidence(tasks, indices, rows, begins, ends, 95.0, indices.stop, limits or {})
    return evidence.judge(measure)


CLEAN = {
    "rows": [row(0), row(1), row(-1, "skipped", task="other")],
    "begins": [begin(0), begin(1)],
    "ends": [end(0), end(1)],
}


def test_time_is_the_makespan_when_every_instance_left_its_markers():
    verdict = judge(**CLEAN)
    assert (verdict.status, verdict.execution_time_s) == ("completed", 3.0)
    assert (verdict.time_measure, verdict.exclusion_reason) == ("makespan", None)
    assert verdict.queued_time_s == 5.0


def test_time_is_the_slowest_instance_when_that_is_wanted():
    verdict = judge(**CLEAN, measure="slowest")
    assert (verdict.execution_time_s, verdict.time_measure) == (2.0, "slowest")


def test_time_is_the_longest_duration_when_only_durations_are_known():
    verdict = judge([row(0, duration=1.5), row(1, duration=4.5)])
    assert (verdict.execution_time_s, verdict.time_measure) == (4.5, "slowest")
    assert verdict.exclusion_reason == "how many of 2 instances ran side by side is not known"
    assert verdict.queued_time_s is None


def test_trial_trains_when_its_only_instance_left_no_marker():
    verdict = judge([row(0, duration=1.5)], indices=range(1))
    assert (verdict.status, verdict.exclusion_reason) == ("completed", None)


def one_after_another(n, pause=0.0):
    return [
        end(i, start=100.0 + i * (10 + pause), ended=110.0 + i * (10 + pause)) for i in range(n)
    ]


def waves(n, width):
    return [
        end(i, start=100.0 + 10 * (i // width), ended=110.0 + 10 * (i // width)) for i in range(n)
    ]


def ran(ends, measure="makespan"):
    n = len(ends)
    begins = [{**each, "end": None} for each in ends]
    return judge([row(i) for i in range(n)], begins, ends, range(n), measure=measure)


@pytest.mark.parametrize(
    ("ends", "time_s", "degree"),
    [
        (one_after_another(4), 40.0, 1),
        (waves(8, 4), 20.0, 4),
        (waves(9, 4), 30.0, 3),
        (waves(14, 6), 30.0, 5),
        (waves(8, 8), 10.0, None),
        ([end(0, start=100.0, ended=200.0), end(1, start=199.0, ended=299.0)], 199.0, 1),
    ],
    ids=[
        "a pool of one slot",
        "a pool of four slots",
        "one more than two waves",
        "two waves and a part of one",
        "side by side",
        "the second began when the first was done",
    ],
)
def test_degree_is_what_ran_side_by_side(ends, time_s, degree):
    verdict = ran(ends)
    assert (verdict.execution_time_s, verdict.parallelism) == (time_s, degree)
    assert verdict.exclusion_reason is None


@pytest.mark.parametrize(
    ("ends", "peak", "words"),
    [
        (one_after_another(4, pause=10.0), 1, "of 4 instances at most 1 ran side by side, 0.57 on"),
        (waves(3, 2), 2, "of 3 instances at most 2 ran side by side, 1.5 on average"),
    ],
    ids=["with pauses", "between one and two"],
)
def test_trial_does_not_train_when_no_number_of_workers_is_near(ends, peak, words):
    verdict = ran(ends)
    assert words in verdict.exclusion_reason
    assert verdict.parallelism == peak


def test_straggler_trains_when_all_began_together():
    verdict = ran([end(0, ended=102.0), end(1, start=100.0, ended=200.0)])
    assert (verdict.exclusion_reason, verdict.parallelism) == (None, None)


def test_slowest_time_does_not_train_when_instances_ran_one_after_another():
    verdict = ran(one_after_another(4), measure="slowest")
    assert "at most 1 ran side by side" in verdict.exclusion_reason
    assert verdict.parallelism == 1


def test_chunks_of_a_group_count_once_when_their_tasks_overlap():
    ends = [end(i, task=t, start=100.0, ended=110.0) for i in (0, 1) for t in "ab"]
    rows = [row(i, task=t) for i in (0, 1) for t in "ab"]
    verdict = judge(rows, (), ends, tasks=("a", "b"))
    assert (verdict.parallelism, verdict.exclusion_reason) == (None, None)


def test_durations_of_a_chunk_add_up_when_a_group_has_two_tasks():
    rows = [row(i, duration=d, task=t) for t, i, d in [("a", 0, 1), ("b", 0, 2), ("a", 1, 2.5)]]
    verdict = judge([*rows, row(1, duration=0.1, task="b")], tasks=("a", "b"))
    assert verdict.execution_time_s == 3.0


def test_trial_does_not_train_when_an_instance_was_retried():
    verdict = judge(CLEAN["rows"], CLEAN["begins"], [end(0), end(1, retried=True)])
    assert verdict.status == "completed"
    assert verdict.exclusion_reason == "retried: map index [1]"


@pytest.mark.parametrize(
    ("begins", "ends"),
    [([begin(0), begin(1)], [end(0)]), ([begin(0)], [end(0)]), ([begin(1)], [])],
    ids=["ended by hand while it ran", "set by hand before it ran", "alone"],
)
def test_trial_does_not_train_when_a_success_was_set_by_hand(begins, ends):
    verdict = judge([row(0), row(1)], begins, ends)
    assert verdict.status == "completed"
    assert "did not end by itself: map index [1]" in verdict.exclusion_reason
    assert verdict.time_measure == "slowest"


def test_markers_are_not_this_trials_when_they_are_from_before_its_decision():
    old = end(1, start=10.0, ended=12.0)
    verdict = judge(CLEAN["rows"], [begin(0)], [end(0), old])
    assert (verdict.execution_time_s, verdict.time_measure) == (1.0, "slowest")
    assert verdict.exclusion_reason == "did not end by itself: map index [1]"


def test_trial_is_abandoned_when_every_success_was_set_before_it_ran():
    verdict = judge([row(0, duration=None), row(1, duration=0.0)])
    assert verdict.status == "abandoned"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(0), row(1, "failed")], r"of 2 instances 1 failed \(map index \[1\]\)"),
        ([row(0), row(1, "skipped")], "1 skipped"),
        ([row(0)], r"1 missing \(map index \[1\]\)"),
        ([row(0, "failed"), row(1, "failed")], "2 failed"),
        ([row(0), row(1), row(2)], "1 more instances ran than the 2 planned"),
    ],
)
def test_trial_failed_when_not_every_instance_succeeded(rows, words):
    verdict = judge(rows)
    assert verdict.status == "failed"
    assert re.search(words, verdict.reason)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no instances"),
        ([row(-1, "skipped")], "1 skipped"),
        ([row(-1, "upstream_failed")], "1 upstream_failed"),
        ([row(0, "skipped"), row(1, "skipped")], "2 skipped"),
    ],
    ids=["none", "empty list", "upstream failed", "all skipped"],
)
def test_trial_is_abandoned_when_nothing_ran(rows, words):
    verdict = judge(rows)
    assert (verdict.status, verdict.reason) == ("abandoned", f"nothing ran: {words}")


def test_instances_that_airflow_removed_do_not_count_when_a_degree_shrank():
    assert judge([row(0), row(1), row(2, "removed")]).status == "completed"


def test_each_stage_is_judged_by_its_own_instances_when_a_plan_has_several():
    rows = [row(0), row(1), row(2, "failed")]
    first = StageEvidence((WORK,), range(2), rows, planned=3).judge()
    second = StageEvidence((WORK,), range(2, 3), rows, planned=3).judge()
    assert (first.status, second.status) == ("completed", "failed")


def test_reason_names_a_few_when_many_instances_failed():
    verdict = judge([row(i, "failed") for i in range(20)], indices=range(20))
    assert verdict.reason.endswith("[6], [7] and 12 more)")


LIMIT = {WORK: 60.0}


def test_time_is_a_bound_when_an_instance_timed_out():
    verdict = judge([row(0, duration=50.0), row(1, "failed", duration=61.5)], limits=LIMIT)
    assert (verdict.status, verdict.timed_out_after_s) == ("failed", 60.0)
    assert verdict.reason == "of 2 instances 1 failed (map index [1]): timed out after 60 s"


@pytest.mark.parametrize(
    "rows",
    [
        [row(0, duration=50.0), row(1, "failed", duration=5.0)],
        [row(0, "failed", duration=61.0), row(1, "failed", duration=5.0)],
        [row(0, duration=50.0), row(1, "skipped", duration=61.0)],
    ],
    ids=["failed early", "another failed early", "skipped"],
)
def test_time_is_no_bound_when_a_failure_was_no_time_out(rows):
    verdict = judge(rows, limits=LIMIT)
    assert (verdict.status, verdict.timed_out_after_s) == ("failed", None)


def test_bound_holds_the_tasks_before_when_one_of_a_group_timed_out():
    rows = [row(0, duration=9.0, task="a"), row(0, "failed", duration=61.0, task="b")]
    verdict = judge(rows, tasks=("a", "b"), indices=range(1), limits={"b": 60.0})
    assert verdict.timed_out_after_s == 69.0
