"""What a DAG's author gives, checked when the DAG is parsed."""

import pytest
from airflow.sdk import DAG

from arbo_bo.errors import (
    DegreeNotAllowedError,
    InvalidValueError,
    MissingPlaceholderError,
    UnknownAcquisitionError,
)
from arbo_bo.integrations.airflow import arbo_stage
from arbo_bo.integrations.airflow.spec import StageSpec, parsed_size, worker_template, workers


def _native():
    return DAG("d", schedule=None, render_template_as_native_obj=True).get_template_env()


def test_every_worker_gets_its_chunk_when_arguments_are_words():
    _, template = worker_template(["--id", "{chunk_id}", "--of={chunks}", "{other} {}"], None)
    assert workers(template, 2) == [
        ["--id", "0", "--of=2", "{other} {}"],
        ["--id", "1", "--of=2", "{other} {}"],
    ]


def test_words_stay_text_when_a_dag_renders_native_objects():
    with DAG("d", schedule=None, render_template_as_native_obj=True):
        stage = arbo_stage("s", arguments=["--rows", "5", "{{ n }}", "{chunk_id}"])
    rendered = stage.plan.render_template(stage.plan.templates["s"], {"n": 2.5}, _native())
    assert rendered[:3] == ["--rows", 5, 2.5]
    assert workers(rendered, 1) == [["--rows", "5", "2.5", "0"]]


def test_every_worker_gets_its_command_when_arguments_are_one_string():
    _, template = worker_template("run {chunk_id} {parallelism}", None)
    assert workers(template, 2) == ["run 0 2", "run 1 2"]


def test_placeholders_are_filled_in_at_any_depth_when_kwargs_are_given():
    given = {"cmds": ["run", "{chunk_id}"], "env": {"OF": "{chunks}"}, "retries": 3}
    shape, template = worker_template(None, given)
    assert shape == "kwargs"
    assert workers(template, 1) == [{"cmds": ["run", "0"], "env": {"OF": "1"}, "retries": 3}]


def test_workers_get_dicts_when_nothing_is_given():
    shape, template = worker_template(None, None)
    assert shape == "chunks"
    assert workers(template, 2) == [{"chunk_id": 0, "chunks": 2}, {"chunk_id": 1, "chunks": 2}]
    assert workers(template, 1, "a") == [{"stage": "a", "chunk_id": 0, "chunks": 1}]


def test_a_value_that_looks_like_a_placeholder_is_not_filled_in_again():
    _, template = worker_template(["{chunk_id}{chunk_id}", "{{chunks}}"], None)
    assert workers(template, 1) == [["00", "{1}"]]


@pytest.mark.parametrize(
    ("arguments", "kwargs", "error", "words"),
    [
        (["--all"], None, MissingPlaceholderError, "every worker would do the same"),
        ("run --all", None, MissingPlaceholderError, "chunk_id"),
        (None, {"cmds": ["run"]}, MissingPlaceholderError, "kwargs of a worker"),
        (["{chunk_id}", 3], None, InvalidValueError, "list of strings"),
        ([], None, InvalidValueError, "list of strings"),
        (7, None, InvalidValueError, "list of strings"),
        (None, ["{chunk_id}"], InvalidValueError, "mapping"),
        (["{chunk_id}"], {"a": "{chunk_id}"}, InvalidValueError, "got both"),
    ],
)
def test_template_is_refused_when_it_makes_no_workers(arguments, kwargs, error, words):
    with pytest.raises(error, match=words):
        worker_template(arguments, kwargs)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"name": "a b"}, InvalidValueError, "task ids"),
        ({"name": "x" * 201}, InvalidValueError, "at most 200"),
        ({"name": ""}, InvalidValueError, "name"),
        ({"experiment": ""}, InvalidValueError, "experiment"),
        ({"max_parallelism": 0}, InvalidValueError, "max_parallelism"),
        ({"settings": {"parallelism": (0, 4)}}, InvalidValueError, "smallest degree"),
        ({"settings": {"parallelism": [0]}}, InvalidValueError, "allowed degree"),
        ({"settings": {"parallelism": "many"}}, InvalidValueError, "parallelism"),
        ({"settings": {"default_parallelism": 99}}, DegreeNotAllowedError, "1 to 32"),
        ({"settings": {"paralellism": 2}}, InvalidValueError, "unknown settings paralellism"),
        ({"settings": {"window": 0}}, InvalidValueError, "window"),
        ({"settings": {"objective": "fast"}}, InvalidValueError, "an Objective"),
        ({"settings": {"acquisition": "nope"}}, UnknownAcquisitionError, "got 'nope'"),
        ({"settings": {"pin": 33}}, DegreeNotAllowedError, "1 to 32"),
        (
            {"settings": {"parallelism": (4, 8)}, "max_parallelism": 3},
            InvalidValueError,
            "at least the smallest allowed degree, 4, got 3",
        ),
    ],
)
def test_stage_is_refused_when_it_is_wrong(options, error, words):
    with pytest.raises(error, match=words):
        StageSpec(**{"name": "s", "experiment": "s", "shape": "chunks"} | options)


def test_acquisition_is_taken_when_its_service_level_may_be_stored_already():
    assert StageSpec("s", "s", "chunks", settings={"acquisition": "deadline"}).configured


@pytest.mark.parametrize(
    ("settings", "limit", "degree"),
    [
        ({}, None, 5),
        ({"parallelism": (8, 16)}, None, 8),
        ({"default_parallelism": 4}, None, 4),
        ({"default_parallelism": 4, "pin": 7}, None, 7),
        ({"default_parallelism": 4, "pin": None}, None, 4),
        ({"default_parallelism": 4}, 3, 3),
        ({"default_parallelism": 4}, 0, 1),
    ],
)
def test_default_is_cut_when_less_can_run(settings, limit, degree):
    stage = StageSpec("s", "s", "chunks", settings=settings)
    assert stage.default_within(limit) == degree


@pytest.mark.parametrize(("value", "size"), [("1e9", 1e9), (" 3.5 ", 3.5), (7, 7.0)])
def test_size_is_read_when_it_is_a_number(value, size):
    assert parsed_size(value) == size


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "got nothing"),
        ("None", "got nothing"),
        ("big", "got 'big'"),
        ("0", "greater than 0"),
        ("nan", "finite"),
        (-1, "greater than 0"),
        ([1], "must be a number"),
    ],
)
def test_size_is_refused_when_it_is_no_number_above_zero(value, words):
    with pytest.raises(InvalidValueError, match=words):
        parsed_size(value)
