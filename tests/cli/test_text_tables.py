"""Tables as text."""

import click
import pytest

from arbo_bo.cli.table import Table, width


def lines(table):
    return [click.unstyle(line) for line in table.lines()]


def test_numbers_stand_at_the_right_and_words_at_the_left():
    table = Table(("task", "runs"), left=("task",))
    table.add("a", "10")
    table.add("nightly", "3")
    assert lines(table) == ["task     runs", "a          10", "nightly     3"]


def test_columns_stay_aligned_when_names_take_two_columns_a_character():
    table = Table(("task", "runs"), left=("task",))
    table.add("夜間", "10")
    table.add("e\u0301te", "3")
    assert {width(line) for line in lines(table)} == {len("task  runs")}


@pytest.mark.parametrize("name", ["[red]", "x" * 255])
def test_cell_is_shown_as_it_is(name):
    table = Table(("task",), left=("task",))
    table.add(name)
    assert lines(table)[1] == name


def test_marked_row_alone_has_colour():
    table = Table(("n",))
    table.add("1")
    table.add("2", marked=True)
    assert [click.unstyle(line) == line for line in table.lines()] == [False, True, False]
