"""What a DAG's author writes, and what comes of it when the DAG is parsed."""

from datetime import timedelta

import pytest
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task, task_group
from airflow.serialization.serialized_objects import DagSerialization

from arbo_bo.errors import DegreeNotAllowedError, InvalidValueError, MissingPlaceholderError
from arbo_bo.integrations.airflow import arbo_stage, arbo_stages
from arbo_bo.integrations.airflow.markers import mark_begin, mark_end


@pytest.fixture
def dag():
    with DAG("d", schedule=None) as opened:
        yield opened


@task
def work(chunk):
    return chunk


def bash(stage, **options):
    operator = BashOperator.partial(task_id="work", **options)
    return operator.expand(bash_command=stage.arguments)


def test_plan_comes_before_and_record_after_when_a_stage_is_observed(dag):
    stage = arbo_stage("s", arguments="run {chunk_id}")
    record = stage.observe(bash(stage))
    assert dag.get_task("work").upstream_task_ids == {"plan_s"}
    assert record.upstream_task_ids == {"plan_s", "work"}
    assert record.is_teardown
    assert not record.on_failure_fail_dagrun
    assert (record.retries, record.retry_delay) == (5, timedelta(seconds=30))


def test_record_waits_for_no_other_run_when_the_dags_tasks_do():
    with DAG("d", schedule=None, default_args={"wait_for_downstream": True, "retries": 1}):
        stage = arbo_stage("s", arguments="run {chunk_id}")
        record = stage.observe(bash(stage))
    assert stage.plan.depends_on_past
    assert (record.depends_on_past, record.wait_for_downstream) == (False, False)
    assert (stage.plan.wait_for_downstream, record.waited_for) == (False, True)


def expand_task(stage):
    return work.expand(chunk=stage.chunks)


def expand_group(stage):
    @task_group
    def group(chunk):
        work(work(chunk))

    return group.expand(chunk=stage.chunks)


def expand_group_with_a_result(stage):
    @task_group
    def group(chunk):
        return work(work(chunk))

    return group.expand(chunk=stage.chunks)


def expand_inside_a_group(stage):
    @task_group
    def group():
        parts = work.expand(chunk=stage.chunks)
        work.override(task_id="merge")(parts)

    return group()


def expand_beside_another_list(stage):
    @task
    def clean(path):
        """Takes a path."""

    @task_group
    def group():
        work.expand(chunk=stage.chunks) >> clean.expand(path=["a", "b", "c"])

    return group()


@pytest.mark.parametrize(
    ("expand", "observed"),
    [
        (expand_task, ("work",)),
        (expand_beside_another_list, ("group.work",)),
        (expand_inside_a_group, ("group.work",)),
        (expand_group, ("group.work", "group.work__1")),
        (expand_group_with_a_result, ("group.work", "group.work__1")),
    ],
)
def test_work_is_observed_when_it_is_mapped_in_another_way(dag, expand, observed):
    stage = arbo_stage("s")
    assert stage.observe(expand(stage)).observed == observed


def test_work_is_observed_when_kwargs_are_expanded(dag):
    stage = arbo_stage("s", kwargs={"bash_command": "run {chunk_id}"})
    expanded = BashOperator.partial(task_id="work").expand_kwargs(stage.kwargs)
    assert stage.observe(expanded).observed == ("work",)


def test_record_sits_beside_the_plan_when_the_stage_is_in_a_task_group(dag):
    @task_group
    def group():
        stage = arbo_stage("s")
        stage.observe(work.expand(chunk=stage.chunks))

    group()
    assert dag.get_task("group.record_s").plan_task_id == "group.plan_s"


def test_later_task_reads_the_degree_when_it_asks_for_it(dag):
    stage = arbo_stage("s")
    stage.observe(work.expand(chunk=stage.chunks))
    work.override(task_id="merge")(stage.parallelism)
    assert dag.get_task("merge").upstream_task_ids == {"plan_s"}
    assert stage.parallelism.key == "parallelism"


def test_degrees_are_told_apart_when_a_plan_has_several_stages(dag):
    stages = arbo_stages("p", {"a": {}, "b": {"experiment": "shared"}}, default_parallelism=2)
    assert [each.experiment_in("d") for each in stages.plan.stages] == ["d.a", "shared"]
    assert stages.parallelism_of("b").key == "parallelism_b"
    with pytest.raises(InvalidValueError, match="say of which stage"):
        _ = stages.parallelism
    with pytest.raises(InvalidValueError, match="none of the stages a, b"):
        stages.parallelism_of("c")


def test_own_settings_come_first_when_a_plan_has_several_stages(dag):
    stages = arbo_stages("p", {"a": {"window": 9}, "b": {}}, window=7)
    assert [each.settings["window"] for each in stages.plan.stages] == [9, 7]


def test_instances_mark_themselves_when_they_are_observed(dag):
    def own(context, result=None):
        pass

    stage = arbo_stage("s", arguments="run {chunk_id}")
    stage.observe(bash(stage, on_execute_callback=own, map_index_template="mine"))
    options = dag.get_task("work").partial_kwargs
    assert options["on_execute_callback"] == [own, mark_begin]
    assert options["post_execute"] is mark_end
    assert options["map_index_template"] == "mine"


def test_own_hook_runs_first_when_the_author_has_one(dag):
    calls = []
    stage = arbo_stage("s", arguments="run {chunk_id}")
    stage.observe(bash(stage, post_execute=lambda context, result: calls.append(result)))
    hook = dag.get_task("work").partial_kwargs["post_execute"]
    with pytest.raises(KeyError, match="ti"):  # mark_end looks into the context
        hook({}, "result")
    assert calls == ["result"]


def test_limits_of_the_work_are_known_when_it_is_observed(dag):
    stage = arbo_stage("s", arguments="run {chunk_id}")
    stage.observe(bash(stage, max_active_tis_per_dagrun=3))
    assert (
        str(stage.plan.limit_of(stage.plan.stages[0])) == "3 by max_active_tis_per_dagrun of work"
    )


def test_dag_is_the_same_after_each_parse_when_a_stage_is_in_it():
    def parsed():
        with DAG("d", schedule=None) as opened:
            stage = arbo_stage("s", arguments="run {chunk_id}", input_size=lambda context: 3)
            stage.observe(bash(stage))
        return DagSerialization.to_dict(opened)

    first = parsed()
    assert first == parsed()
    assert DagSerialization.from_dict(first).task_dict.keys() == {"plan_s", "work", "record_s"}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"parallelism": (0, 4)}, InvalidValueError, "smallest degree"),
        ({"default_parallelism": 0}, InvalidValueError, "parallelism"),
        ({"parallelism": (1, 4), "default_parallelism": 5}, DegreeNotAllowedError, "1 to 4"),
        ({"arguments": ["--all"]}, MissingPlaceholderError, "chunk_id"),
        ({"input_size": 0}, InvalidValueError, "stage 's': input_size must be greater than 0"),
        ({"input_size": "big"}, InvalidValueError, "got 'big'"),
        ({"input_size": ""}, InvalidValueError, "got nothing"),
        ({"max_parallelism": 0}, InvalidValueError, "max_parallelism"),
        ({"time_measure": "mean"}, InvalidValueError, "makespan, slowest"),
        ({"retries": 3}, InvalidValueError, "stage 's': unknown settings retries"),
        ({"experiment": " x"}, InvalidValueError, "experiment"),
    ],
)
def test_stage_is_refused_when_the_dag_is_parsed(dag, options, error, words):
    with pytest.raises(error, match=words):
        arbo_stage("s", **options)


@pytest.mark.parametrize("size", ["{{ params.n }}", 3, 2.5, None, lambda context: 1])
def test_size_is_taken_when_it_may_be_one(dag, size):
    assert arbo_stage("s", input_size=size).plan.input_sizes == {"s": size}


def test_size_may_be_the_output_of_another_task(dag):
    stage = arbo_stage("s", input_size=work.override(task_id="measure")(1))
    assert stage.plan.upstream_task_ids == {"measure"}


def test_stage_is_refused_when_its_name_is_taken(dag):
    arbo_stage("s")
    with pytest.raises(InvalidValueError, match=r"two stages 's', .* give experiment="):
        arbo_stage("s")


def test_stage_is_refused_when_its_name_is_taken_in_another_group(dag):
    arbo_stage("s")

    @task_group
    def group():
        arbo_stage("s")

    with pytest.raises(InvalidValueError, match="two stages 's'"):
        group()


def test_dag_is_refused_when_a_stage_is_not_observed(dag):
    arbo_stage("s")
    with pytest.raises(InvalidValueError, match=r"never observed.*stage\.observe\(work\)"):
        dag.resolve_template_files()  # what Airflow calls when it loads a DAG


def test_stage_is_refused_when_it_is_observed_twice(dag):
    stage = arbo_stage("s")
    done = work.expand(chunk=stage.chunks)
    stage.observe(done)
    with pytest.raises(InvalidValueError, match="observed already"):
        stage.observe(done)


def unmapped_group(stage):
    @task_group
    def group(chunks):
        work(chunks)

    return group(stage.chunks)


@pytest.mark.parametrize(
    "make",
    [
        lambda stage: work(stage.chunks),
        lambda stage: work.expand(chunk=[1]),
        lambda stage: "work",
        unmapped_group,
    ],
)
def test_observe_is_refused_when_the_work_is_not_mapped_over_the_stages_list(dag, make):
    stage = arbo_stage("s")
    with pytest.raises(InvalidValueError, match="mapped over stage 's'"):
        stage.observe(make(stage))


def test_observe_is_refused_when_the_work_is_mapped_over_something_else_besides(dag):
    @task
    def both(chunk, other):
        pass

    stage = arbo_stage("s")
    with pytest.raises(InvalidValueError, match=r"mapped over chunk and other, .*combination"):
        stage.observe(both.expand(chunk=stage.chunks, other=[1, 2]))


def test_list_is_refused_when_the_stage_gives_another(dag):
    stage = arbo_stage("s", arguments="run {chunk_id}")
    with pytest.raises(InvalidValueError, match=r"use stage\.arguments"):
        _ = stage.chunks


def test_plan_is_refused_when_its_stages_give_different_things(dag):
    with pytest.raises(InvalidValueError, match="all give arguments, or all give kwargs"):
        arbo_stages("p", {"a": {"arguments": "run {chunk_id}"}, "b": {}})


def test_plan_is_refused_when_it_has_no_stages(dag):
    with pytest.raises(InvalidValueError, match="mapping of names"):
        arbo_stages("p", {})
