import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.cli import main
from arbo_bo.storage import SQLTrialStore


@pytest.fixture
def arbo(store_url, capsys):
    ArboOptimizer(store_url).experiments()  # makes the database

    def call(*arguments, status=0, store=store_url):
        assert main([*map(str, arguments), "--store", store]) == status
        return capsys.readouterr()

    return call


@pytest.fixture
def filled(arbo):
    for s, time in ((1, 100), (4, 30), (8, 20)):
        arbo("attach", "t", "--parallelism", s, "--time", time)
    arbo("suggest", "t")
    return arbo


def execute(url, statement, **values):
    with SQLTrialStore(url) as store:
        if store.database.kind == "postgresql":
            statement = re.sub(r":(\w+)", r"%(\1)s", statement)
        store.database.write(lambda t: t.text(statement, **values))


@pytest.mark.parametrize("name", ["all.jsonl", "all.csv"])
def test_tasks_move_to_another_namespace(filled, tmp_path, name):
    path = tmp_path / name
    assert str(path) in filled("export", "--all", "--output", path).err
    assert "4 trials of 1 tasks" in filled("import", path, "--namespace", "new").err
    shown = [
        json.loads(filled("show", "t", "--json", "--namespace", namespace).out)
        for namespace in ("default", "new")
    ]
    degrees = [[t["parallelism"] for t in one["trials"]] for one in shown]
    assert degrees[0] == degrees[1]


def test_export_goes_to_stdout_and_import_reads_stdin(filled, store_url):
    arbo = f"{sys.executable} -m arbo_bo"
    script = f"{arbo} export t --store {store_url!r} | {arbo} import - --namespace b --store {store_url!r} --json"  # noqa: E501
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert json.loads(done.stdout) == {"tasks": 1, "trials": 4}, done.stderr


@pytest.mark.parametrize("arguments", [("export",), ("export", "t", "--all")])
def test_export_needs_to_know_what(arbo, arguments):
    arbo(*arguments, status=2)


def test_output_that_cannot_be_written_is_one_line_and_leaves_nothing(filled, tmp_path):
    assert (
        "cannot be written"
        in filled("export", "t", "--output", tmp_path / "no/where", status=1).err
    )
    filled("export", "nope", "--output", tmp_path / "out.jsonl", status=1)
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".jsonl" or "out" in p.name] == []


def test_file_that_is_no_export_is_one_line_and_status_1(arbo, tmp_path):
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in arbo("import", path, status=1).err
    path.write_text("{}\n")
    assert "line 1: this is no export" in arbo("import", path, status=1).err
    assert "cannot be read" in arbo("import", tmp_path / "missing", status=1).err


def test_export_of_a_task_that_is_not_there_writes_nothing(filled):
    assert filled("export", "t", "nope", status=1).out == ""
    assert filled("export", "t", "nope", "--format", "csv", status=1).out == ""


def test_table_that_is_taken_for_json_lines_is_said_to_need_its_format(arbo, tmp_path):
    path = tmp_path / "runs.txt"
    path.write_text("task,parallelism\nt,4\n")
    said = arbo("import", path, status=1).err
    assert "line 1: this is no export in JSON lines" in said
    assert "--format csv" in said


def test_prune_counts_asks_and_deletes(arbo):
    arbo("configure", "t", "--window", 2)
    for time in range(1, 6):
        arbo("attach", "t", "--parallelism", 2, "--time", time)
    assert "3 trials of 1 tasks would be" in arbo("db", "prune", "--keep-last", 1, "--dry-run").out
    assert "add --yes" in arbo("db", "prune", "--keep-last", 1, status=1).err
    assert len(json.loads(arbo("show", "t", "--json").out)["trials"]) == 5
    done = arbo("db", "prune", "--keep-last", 1, "--yes", "--json")
    assert json.loads(done.out) == {"deleted": True, "trials": {"t": 3}}
    assert "0 trials" in arbo("db", "prune", "--older-than", "90d").out


def test_prune_needs_a_limit(arbo):
    assert "--keep-last" in arbo("db", "prune", "--yes", status=2).err


def findings(captured):
    return {f["check"]: f for f in json.loads(captured.out)}


def test_doctor_finds_nothing_in_a_sound_store(filled):
    found = findings(filled("doctor", "--json"))
    names = ["database", "schema", "rights", "clock", "runs", "watched", "trials", "models"]
    assert list(found) == names
    assert {f["verdict"] for f in found.values()} == {"ok"}
    assert "ok      database" in filled("doctor").out


def test_doctor_names_runs_past_their_lease(filled, store_url):
    execute(
        store_url,
        "UPDATE execution_history SET lease_expires_at = :m WHERE status = 'RUNNING'",
        m=datetime.now(UTC) - timedelta(hours=1) if "postgres" in store_url else "2020-01-01",
    )
    found = findings(filled("doctor", "--json"))["runs"]
    assert (found["verdict"], found["message"]) == ("warning", "1 RUNNING past their lease: t 3")
    assert "arbo abandon" in found["advice"]


def test_doctor_names_tasks_that_cannot_be_read(filled, store_url):
    execute(store_url, "UPDATE task_models SET configuration = :c", c='{"format": 99}')
    found = findings(filled("doctor", "--json", status=1))["models"]
    assert found["verdict"] == "error"
    assert "format 1, got 99" in found["message"]


def test_doctor_warns_of_models_that_cannot_be_read(filled, store_url):
    execute(store_url, "UPDATE task_models SET hyperparameters = :h", h='{"format": 99}')
    found = findings(filled("doctor", "--json"))["models"]
    assert (found["verdict"], "1 tasks" in found["message"]) == ("warning", True)
    assert "-> upgrade arbo_bo" in filled("doctor").out


@pytest.mark.parametrize(
    ("revision", "advice"), [("0001", "arbo db upgrade"), ("9999", "pip install --upgrade")]
)
def test_doctor_stops_at_another_schema(arbo, store_url, revision, advice):
    execute(store_url, "UPDATE arbo_alembic_version SET version_num = :r", r=revision)
    found = findings(arbo("doctor", "--json", status=1))
    assert list(found) == ["database", "schema"]
    assert found["schema"]["verdict"] == "error"
    assert advice in found["schema"]["advice"]


def test_doctor_leaves_an_empty_database_empty(postgresql_url, capsys):
    assert main(["doctor", "--store", postgresql_url]) == 0
    assert "the database is empty" in capsys.readouterr().out
    assert SQLTrialStore(postgresql_url).schema_version() is None


def test_doctor_says_what_may_not_be_written(sqlite_url, capsys):
    ArboOptimizer(sqlite_url).suggest("t")
    assert main(["doctor", "--json", "--store", f"{sqlite_url}?mode=ro"]) == 1
    found = findings(capsys.readouterr())["rights"]
    assert found["verdict"] == "error"
    assert "may not add to task_models" in found["message"]


def test_doctor_says_which_right_a_role_lacks(postgresql_url, capsys):
    ArboOptimizer(postgresql_url).suggest("t")
    connection = psycopg2.connect(postgresql_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        cursor.execute("GRANT INSERT ON execution_history TO reader")
    try:
        url = postgresql_url.replace("postgres:@", "reader:@")
        assert url != postgresql_url
        assert main(["doctor", "--json", "--store", url]) == 1
        message = findings(capsys.readouterr())["rights"]["message"]
        assert "add to task_models" in message
        assert "delete from execution_history" in message
        assert "add to execution_history" not in message
    finally:
        with connection, connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY reader; DROP ROLE reader")
        connection.close()


def test_doctor_finds_nothing_when_a_role_has_the_grants_of_the_documentation(
    postgresql_url, capsys
):
    ArboOptimizer(postgresql_url).suggest("t")
    page = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
    (grants,) = re.findall(r"^```sql\n(.*?)^-- for ", page, re.M | re.S)
    connection = psycopg2.connect(postgresql_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE worker LOGIN; {grants}")
    try:
        url = postgresql_url.replace("postgres:@", "worker:@")
        assert main(["doctor", "--json", "--store", url]) == 0
        found = findings(capsys.readouterr())["rights"]
        assert found["verdict"] == "ok"
        assert "`arbo delete` and `arbo db prune` alone" in found["message"]
    finally:
        with connection, connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY worker; DROP ROLE worker")
        connection.close()


def test_doctor_names_a_run_whose_process_was_killed(store_url, journal, capsys):
    code = (
        "import os, sys; from arbo_bo import ArboOptimizer\n"
        "with ArboOptimizer(sys.argv[1]).trial('t'): os.kill(os.getpid(), 9)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, store_url])
    process.wait()
    assert main(["doctor", "--json", "--store", store_url]) == 0
    found = findings(capsys.readouterr())["watched"]
    assert found["verdict"] == "warning"
    assert f"trial 0 of 't' (process {process.pid})" in found["message"]


def test_doctor_says_that_nothing_answers_and_hides_the_password(capsys):
    url = "postgresql://u:s3cret@127.0.0.1:1/none"
    assert main(["doctor", "--json", "--store", url]) == 1
    captured = capsys.readouterr()
    assert [f["verdict"] for f in json.loads(captured.out)] == ["error"]
    assert "s3cret" not in captured.out + captured.err


def test_doctor_measures_the_clock(postgresql_url, monkeypatch, capsys):
    ArboOptimizer(postgresql_url).suggest("t")
    monkeypatch.setattr("arbo_bo.storage.inspection.datetime", Ahead)
    assert main(["doctor", "--json", "--store", postgresql_url]) == 0
    found = findings(capsys.readouterr())["clock"]
    assert found["verdict"] == "warning"
    assert "90 s ahead of the database's" in found["message"]


class Ahead(datetime):
    """A clock that is 90 s ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=90)


def test_the_upgrade_names_the_file_that_it_makes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_ARBO_DEFAULT", '{"conn_type": "postgres"}')
    assert main(["db", "upgrade"]) == 0
    captured = capsys.readouterr()
    assert f"sqlite:///{tmp_path}/arbo_bo/arbo.db" in captured.out
    assert "AIRFLOW_CONN_ARBO_DEFAULT is Airflow's" in captured.err
