import json

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main


@pytest.fixture
def arbo(sqlite_url, capsys):
    ArboOptimizer(sqlite_url).experiments()

    def call(*arguments, status=0):
        assert main([*map(str, arguments), "--store", sqlite_url]) == status
        return capsys.readouterr()

    return call


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"x" * 400)
    return path


def sizes(arbo):
    return [t["input_size"] for t in json.loads(arbo("show", "t", "--json").out)["trials"]]


def test_size_is_measured_when_the_option_names_a_path(arbo, source):
    arbo("suggest", "t", "--input-size", source)
    arbo("suggest", "t", "--input-size", source.parent / "*.csv")
    arbo("attach", "t", "--parallelism", 2, "--time", 5, "--input-size", source)
    arbo("complete", "t", 0, "--time", 9, "--input-size", source)
    arbo("predict", "t", "--input-size", source)
    assert sizes(arbo) == [400, 400, 400]


def test_size_that_cannot_be_had_is_one_line_and_status_1(arbo, source):
    captured = arbo("suggest", "t", "--input-size", f"{source}.other", status=1)
    assert captured.err.startswith(f"arbo: error: the input size of {source}.other cannot be had")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(("fallback", "size"), [("70", 70.0), ("unknown", None)])
def test_fallback_stands_when_the_size_cannot_be_had(arbo, source, fallback, size):
    name = f"{source}.other"
    arbo("suggest", "t", "--input-size", name, "--input-size-fallback", fallback)
    assert sizes(arbo) == [size]


def test_fallback_is_refused_when_it_is_none(arbo):
    captured = arbo("suggest", "t", "--input-size-fallback", "big", status=1)
    assert "a size or 'unknown'" in captured.err
