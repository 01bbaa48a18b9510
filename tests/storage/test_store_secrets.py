"""No password is ever shown: not by repr, an error, its traceback, or a log."""

import logging
import traceback
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arbo_bo.errors import StoreError
from arbo_bo.experiment import Experiment
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.url import masked, resolve_url, scrub

many = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# The ends make it long enough to be found only where it is shown.
passwords = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map("Qz7{}k9X".format)
hostile = [
    "Qz7@:/?#[]&=%k9X",
    "Qz7%40%2Fk9X",
    "Qz7'\"\\k9X",
    "Qz7\nk9X",
    "Qz7\0k9X",
    "Qz7 +k9X",
    "Qz7://k9X",
    "Qz7ü🚀k9X",
]


@contextmanager
def everything_logged(caplog, level=logging.DEBUG):
    with caplog.at_level(level), caplog.at_level(level, "arbo_bo"):
        yield


def all_that_is_shown(url, caplog):
    """Everything a user or a log could see of a store that cannot be reached."""
    shown = []

    def use():
        store = SQLTrialStore(url)
        shown.extend([repr(store), str(store), store.masked_url])
        store.experiments()

    caplog.clear()
    with everything_logged(caplog), pytest.raises(StoreError) as caught:
        use()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    shown += [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    return "\n".join([*shown, caplog.text])


def with_examples(test):
    for password in hostile:
        test = example(password=password)(test)
    return test


def assert_hidden(password, shown):
    for written in (password, quote(password), quote(password, safe=""), quote_plus(password)):
        assert written not in shown
    assert "Qz7" not in shown
    assert "k9X" not in shown


@many
@given(password=passwords)
@with_examples
def test_password_is_hidden_when_it_is_written_as_it_should(password, caplog):
    url = f"postgresql://ada:{quote(password, safe='')}@127.0.0.1:1/arbo"
    assert_hidden(password, all_that_is_shown(url, caplog))


@many
@given(password=passwords)
@with_examples
def test_password_is_hidden_when_it_is_written_raw(password, caplog):
    url = f"postgresql://ada:{password}@127.0.0.1:1/arbo"
    assert_hidden(password, all_that_is_shown(url, caplog))


@many
@given(password=passwords)
@with_examples
def test_password_is_hidden_when_it_is_a_parameter(password, caplog):
    url = f"postgresql://127.0.0.1:1/arbo?user=ada&password={quote(password, safe='')}"
    assert_hidden(password, all_that_is_shown(url, caplog))


@many
@given(password=passwords)
@with_examples
def test_password_is_removed_from_what_a_driver_says(password):
    url = resolve_url(f"postgresql://ada:{quote(password, safe='')}@h/arbo")
    said = f"bad {password} or {quote(password)} or {quote_plus(password)} or {password!r}"
    assert_hidden(password, scrub(said, url))


@pytest.mark.parametrize("key", ["password", "sslpassword", "passfile", "token", "options"])
def test_parameter_is_removed_from_what_a_driver_says(key):
    url = resolve_url(f"postgresql://h/arbo?{key}=Qz7k9X")
    assert scrub("got Qz7k9X", url) == "got ***"
    assert_hidden("Qz7k9X", masked(url))


def test_secrets_are_hidden_when_the_store_works_and_everything_is_logged(postgresql_url, caplog):
    url = f"{postgresql_url}&password=Qz7a&sslpassword=Qz7b"
    with everything_logged(caplog), SQLTrialStore(url) as store:
        store.experiments()
    assert "statement tasks" in caplog.text
    assert "Qz7" not in caplog.text


def test_values_are_hidden_when_statements_are_logged(sqlite_url, caplog):
    with everything_logged(caplog), SQLTrialStore(sqlite_url) as store:
        store.configure("confidential", lambda _: Experiment("confidential"))
    assert "statement create_task" in caplog.text
    assert "confidential" not in caplog.text
