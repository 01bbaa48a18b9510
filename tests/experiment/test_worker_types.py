import pickle

import pytest

import arbo_bo
from arbo_bo import WorkerType
from arbo_bo.errors import ArboError, InvalidValueError, UnknownWorkerTypeError
from arbo_bo.experiment import SearchSpace, WorkerTypes

LARGE = WorkerType(cpus=4, memory_gb=16, price_per_hour=0.192, startup_s=40)
SMALL = WorkerType(cpus=2, memory_gb=8, price_per_hour=0.096, parallelism=(2, 4))
TYPES = {"m5.xlarge": LARGE, "m5.large": SMALL}


def test_worker_type_is_public():
    assert arbo_bo.WorkerType is WorkerType


def test_worker_type_reads_its_degrees_as_a_task_does():
    assert SMALL.parallelism == SearchSpace((2, 3, 4))


@pytest.mark.parametrize(
    "values",
    [
        {"cpus": 0},
        {"cpus": float("nan")},
        {"cpus": "4"},
        {"memory_gb": -1},
        {"memory_gb": None},
        {"price_per_hour": -0.1},
        {"price_per_hour": float("inf")},
        {"startup_s": -1},
        {"parallelism": (4, 2)},
        {"parallelism": []},
    ],
)
def test_worker_type_is_refused_when_a_value_is_outside_its_domain(values):
    with pytest.raises(InvalidValueError):
        WorkerType(**{"cpus": 4, "memory_gb": 16} | values)


def test_price_of_nothing_is_refused_with_what_to_do():
    with pytest.raises(InvalidValueError, match="greater than 0, got 0; leave it out"):
        WorkerType(cpus=4, memory_gb=16, price_per_hour=0)


def test_types_keep_the_order_in_which_they_were_given():
    assert list(WorkerTypes.of(TYPES)) == ["m5.xlarge", "m5.large"]


def test_types_are_refused_when_two_have_one_name():
    with pytest.raises(InvalidValueError, match="two worker types have the name 'a'"):
        WorkerTypes.of([("a", LARGE), ("a", SMALL)])


def test_types_are_refused_when_only_some_have_a_price():
    with pytest.raises(InvalidValueError, match="or none: there is none for 'free'"):
        WorkerTypes.of({"paid": LARGE, "free": WorkerType(cpus=1, memory_gb=2)})


@pytest.mark.parametrize(
    "given",
    ["m5.xlarge", 4, None, [LARGE], {"a": (4, 16)}, {"": LARGE}, {"a\n": LARGE}, {1: LARGE}],
)
def test_types_are_refused_when_they_are_no_mapping_from_names(given):
    with pytest.raises(InvalidValueError):
        WorkerTypes.of(given)


def test_types_are_refused_when_there_are_more_than_a_hundred():
    with pytest.raises(InvalidValueError, match="at most 100 worker types, got 101"):
        WorkerTypes.of({f"type-{i}": LARGE for i in range(101)})


def test_unknown_type_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownWorkerTypeError, match=r"'m6'.* there are m5.xlarge, m5.large"):
        WorkerTypes.of(TYPES).require("m6")
    assert issubclass(UnknownWorkerTypeError, ArboError)


def test_types_are_the_same_after_json():
    types = WorkerTypes.of(TYPES)
    assert WorkerTypes.from_json(types.to_json()) == types


def test_types_are_the_same_after_pickling():
    types = WorkerTypes.of(TYPES)
    assert pickle.loads(pickle.dumps(types)) == types
    assert hash(types) == hash(WorkerTypes.of(TYPES))


def test_types_in_another_order_are_others():
    assert WorkerTypes.of(TYPES) != WorkerTypes.of(dict(reversed(TYPES.items())))


def test_type_says_what_it_is_for_people():
    assert str(SMALL) == "2 CPUs, 8 GB, 0.096 an hour, 2 to 4 workers"
