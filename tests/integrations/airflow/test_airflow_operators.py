"""Where a task looks for arbo's database."""

import json

import pytest

from arbo_bo.errors import StoreURLError
from arbo_bo.integrations.airflow.operators import open_arbo


def test_connection_is_taken_when_there_is_one(monkeypatch, tmp_path):
    fields = {"conn_type": "sqlite", "host": str(tmp_path / "arbo.db")}
    monkeypatch.setenv("AIRFLOW_CONN_ARBO_DEFAULT", json.dumps(fields))
    monkeypatch.setenv("ARBO_DATABASE_URL", "sqlite:////nowhere/arbo.db")
    with open_arbo("arbo_default", "team") as arbo:
        assert arbo.experiments() == []
        assert arbo.store.namespace == "team"


def test_variable_is_taken_when_there_is_no_connection(monkeypatch, sqlite_url):
    monkeypatch.setenv("ARBO_DATABASE_URL", sqlite_url)
    with open_arbo("arbo_missing", "default") as arbo:
        assert arbo.experiments() == []


def test_error_says_what_to_do_when_there_is_neither(monkeypatch):
    monkeypatch.delenv("ARBO_DATABASE_URL", raising=False)
    with pytest.raises(StoreURLError, match=r"no Airflow connection 'arbo_missing'.*type postgres"):
        open_arbo("arbo_missing", "default")
