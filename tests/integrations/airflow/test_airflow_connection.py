"""From the fields of an Airflow connection to the store's URL."""

from types import SimpleNamespace

import pytest

from arbo_bo.errors import StoreURLError
from arbo_bo.integrations.airflow.connection import url_of
from arbo_bo.storage.url import resolve_url

FIELDS = dict.fromkeys(("host", "schema", "login", "password", "port", "extra"))
POSTGRES = {"conn_type": "postgres", "host": "db", "schema": "arbo", "login": "me"}


def connection(**fields):
    return SimpleNamespace(**{"conn_id": "arbo_default"} | FIELDS | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"host": "db", "database": "arbo", "username": "me", "password": None, "port": None}),
        ({"password": "p@/:?%", "port": 5433}, {"password": "p@/:?%", "port": 5433}),
        ({"login": "a@b"}, {"username": "a@b", "host": "db"}),
        ({"login": None}, {"username": None, "host": "db"}),
        ({"host": "::1", "port": 1}, {"host": "::1", "port": 1}),
        ({"schema": "a b/c"}, {"database": "a b/c"}),
    ],
)
def test_url_holds_the_fields_when_the_type_is_postgres(fields, expected):
    url = resolve_url(url_of(connection(**POSTGRES | fields)))
    assert url.drivername == "postgresql+psycopg2"
    assert {name: getattr(url, name) for name in expected} == expected


def test_socket_is_used_when_the_host_is_a_folder():
    url = resolve_url(url_of(connection(**POSTGRES | {"host": "/run/pg", "port": 5433})))
    assert url.host is None
    assert (url.query["host"], url.query["port"]) == ("/run/pg", "5433")


def test_only_what_the_driver_knows_is_passed_on_when_there_are_extras():
    extra = '{"sslmode": "require", "cursor": "dictcursor", "connect_timeout": 2}'
    url = resolve_url(url_of(connection(**POSTGRES | {"extra": extra})))
    assert dict(url.query) == {"sslmode": "require", "connect_timeout": "2"}


def test_url_names_the_file_when_the_type_is_sqlite():
    assert url_of(connection(conn_type="sqlite", host="/data/arbo.db")) == (
        "sqlite:////data/arbo.db"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"conn_type": "mysql"}, "must be of type postgres .* got 'mysql'"),
        ({"conn_type": None}, "must be of type postgres"),
        ({"conn_type": "postgres", "host": "db"}, "names no database"),
        ({"conn_type": "sqlite"}, "path of its file"),
        (POSTGRES | {"extra": "[1]"}, "JSON object"),
        (POSTGRES | {"extra": "{"}, "JSON object"),
    ],
)
def test_connection_is_refused_when_it_names_no_store(fields, words):
    with pytest.raises(StoreURLError, match=words):
        url_of(connection(**fields))


def test_password_is_not_told_when_a_connection_is_refused():
    with pytest.raises(StoreURLError) as caught:
        url_of(connection(conn_type="mysql", password="hunter2"))
    assert "hunter2" not in str(caught.value)
