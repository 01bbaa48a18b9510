"""The compiled statements are those that the tables and the definitions make."""

import pytest

from arbo_bo.storage.statements import FOLDER, NAMES, statements, written
from arbo_bo.storage.statements.compilation import compiled
from arbo_bo.storage.statements.definitions import definitions


@pytest.mark.parametrize("name", NAMES)
def test_files_are_equal_when_the_statements_are_compiled_anew(name):
    assert (FOLDER / f"{name}.sql").read_text() == compiled(name), (
        "run: make statements (python -m arbo_bo.storage.statements)"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_is_there_when_the_file_is_read(name):
    assert list(statements(name)) == list(definitions(name == "postgresql"))


def test_statements_are_the_same_when_they_are_written_and_read():
    assert written(statements("sqlite")) == (FOLDER / "sqlite.sql").read_text()


def test_tables_are_qualified_when_a_schema_is_given():
    of_team = statements("postgresql", "team_a")["task"]
    assert 'FROM "team_a".task_models' in of_team
    assert of_team.replace('"team_a".', "") == statements("postgresql")["task"]
