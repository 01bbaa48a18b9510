"""Which URLs a store takes, and what it says of the others."""

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url

from arbo_bo.errors import StoreUnavailableError, StoreURLError
from arbo_bo.experiment import Experiment
from arbo_bo.storage.postgresql import parameters
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.url import masked, resolve_url, sqlite_path
from arbo_bo.storage.url_parts import parse_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_means_psycopg2(scheme):
    url = resolve_url(f"{scheme}://ada:pw@db:5432/arbo")
    assert url.drivername == "postgresql+psycopg2"
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "ada",
        "pw",
        "db",
        5432,
        "arbo",
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:s3cret@h/db", "not supported"),
        ("postgresql+asyncpg://u:s3cret@h/db", "not supported"),
        ("sqlite+aiosqlite:///s3cret", "not supported"),
        ("u:s3cret@h/db", "no scheme"),
        ("host=h password=s3cret", "no scheme"),
        ("postgresql://u:s3cret@h:port/db", "cannot be understood"),
        ("postgresql://u:s3@cret@h/db", "%40"),
        ("://s3cret", "cannot be understood"),
        ("sqlite://u:s3cret@h/db", "names no host"),
        ("sqlite://relative.db", "sqlite:///relative"),
    ],
)
def test_url_is_refused_without_showing_its_password(url, said):
    with pytest.raises(StoreURLError, match=said) as caught:
        SQLTrialStore(url)
    # A file's name is no secret, and a URL that is all path has no password.
    assert url.startswith("sqlite+") or "s3cret" not in str(caught.value)
    assert "sqlite:///" in str(caught.value) or "%40" in str(caught.value)


def test_path_without_a_scheme_is_answered_with_its_url():
    with pytest.raises(StoreURLError, match=r"write 'sqlite:///runs/arbo.db'"):
        resolve_url("runs/arbo.db")


def test_url_must_be_a_string():
    with pytest.raises(StoreURLError, match="a string, got PosixPath"):
        resolve_url(Path("arbo.db"))


@pytest.mark.parametrize("query", ["foo=1", "timeout=soon", "timeout=-1", "timeout=nan"])
def test_sqlite_parameter_is_refused_when_it_means_nothing(query):
    with pytest.raises(StoreURLError, match=r"SQLite URL takes|must be seconds"):
        resolve_url(f"sqlite:///arbo.db?{query}")


def test_environment_names_the_store_when_no_url_is_given(monkeypatch):
    monkeypatch.setenv("ARBO_DATABASE_URL", "postgres://db/arbo")
    assert resolve_url(None).host == "db"
    assert resolve_url("postgres://other/arbo").host == "other"


def test_store_is_refused_when_its_url_is_empty():
    with pytest.raises(StoreURLError, match="is empty"):
        resolve_url("")


def test_store_is_in_the_users_data_folder_when_nothing_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("ARBO_DATABASE_URL", "")
    assert sqlite_path(resolve_url(None)) == tmp_path / "data" / "arbo_bo" / "arbo.db"
    assert (tmp_path / "data" / "arbo_bo").is_dir()


def test_data_folder_that_cannot_be_created_is_named(monkeypatch, tmp_path):
    (tmp_path / "data").write_text("a file is in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(StoreUnavailableError, match=r"data/arbo_bo .*ARBO_DATABASE_URL"):
        resolve_url(None)


def test_relative_path_stays_where_it_was_when_the_folder_changes(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with SQLTrialStore("sqlite:///arbo.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.experiments()
    assert (tmp_path / "arbo.db").is_file()
    assert os.listdir() == []


def test_tilde_is_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with SQLTrialStore("sqlite:///~/arbo.db") as store:
        store.experiments()
    assert (tmp_path / "arbo.db").is_file()


@pytest.mark.parametrize("name", ["a b?.db", "100%.db", "a#b.db", "ü&c=d.db"])
@pytest.mark.parametrize("query", ["", "?mode=rwc", "?uri=true&mode=rwc"])
def test_file_is_found_whatever_its_name(tmp_path, name, query):
    written = name.replace("?", "") if query or "?" in name else name
    with SQLTrialStore(f"sqlite:///{tmp_path}/{written}{query}") as store:
        store.experiments()
    assert [path.name for path in tmp_path.iterdir()] == [written]


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_memory_store_keeps_what_it_was_told(monkeypatch, tmp_path, url):
    monkeypatch.chdir(tmp_path)
    with SQLTrialStore(url) as store:
        store.configure("a", lambda _: Experiment("a"))
        assert store.experiment("a") == Experiment("a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:pw@h/db", "postgresql://u:***@h/db"),
        ("postgresql://h/db?password=pw&sslmode=require", None),
        ("postgresql://h/db?sslpassword=pw", "postgresql://h/db?sslpassword=***"),
        ("postgresql://h/db?anything=pw", "postgresql://h/db?anything=***"),
        ("postgresql://u:p@w@h/db", "postgresql://***"),
        ("u:pw@h", "***"),
        ("sqlite:////a/b.db?timeout=3", "sqlite:////a/b.db?timeout=3"),
    ],
)
def test_masked_url_shows_everything_but_secrets(url, shown):
    assert masked(url) == (shown or "postgresql://h/db?password=***&sslmode=require")
    assert "pw" not in masked(url)


def test_repr_names_the_store_without_its_password():
    store = SQLTrialStore("postgres://u:pw@h/db", namespace="team")
    assert repr(store) == ("SQLTrialStore('postgresql+psycopg2://u:***@h/db', namespace='team')")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:p%40w@h:5432/db?sslmode=require&host=/tmp/x",
        "postgresql://postgres:@/arbo?host=/tmp/a",
        "postgresql://[::1]:55/x",
        "postgresql://u@/x",
        "postgresql://u:s3@cret/db",
        "sqlite://",
        "sqlite:////a%20b%3F.db",
        "sqlite:///a b#%.db?timeout=3&mode=",
    ],
)
def test_url_means_what_sqlalchemy_takes_it_for(text):
    ours, theirs = parse_url(text), make_url(text)
    for part in ("drivername", "username", "password", "host", "port", "database"):
        assert getattr(ours, part) == getattr(theirs, part)
    assert ours.query == dict(theirs.query)
    assert ours.render(hide_password=False) == theirs.render_as_string(hide_password=False)


def test_each_of_several_hosts_is_tried_with_its_own_port():
    url = resolve_url("postgresql://u:pw@a:1,b,[::1]:3/db?target_session_attrs=read-write")
    assert [(p["host"], p.get("port")) for p in parameters(url)] == [
        ("a", "1"),
        ("b", None),
        ("::1", "3"),
    ]
    assert masked(url).startswith("postgresql+psycopg2://u:***@a:1,b,[::1]:3/db?")
