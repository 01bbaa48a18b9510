"""Object stores as fsspec's drivers show them: prefixes, listings, failures, secrets."""

import threading

import fsspec
import pytest
from fsspec.registry import known_implementations

from arbo_bo.context import input_size_of
from arbo_bo.errors import InputSizeError

OBJECTS = {"bucket/big.bin": 1000, "bucket/day/part-0": 3, "bucket/day/part-1": 4}


class Bucket(fsspec.AbstractFileSystem):
    """A store that lists, and refuses to hand out content."""

    protocol = "bucketfs"
    cachable = False

    def ls(self, path, detail=True, **_options):
        path = self._strip_protocol(path).rstrip("/")
        above = f"{path}/" if path else ""
        below = {n[len(above) :].split("/")[0] for n in OBJECTS if n.startswith(above)}
        names = [path] if path in OBJECTS else [f"{above}{part}" for part in sorted(below)]
        if not names:
            raise FileNotFoundError(path)
        infos = [
            {"name": n, "size": OBJECTS.get(n, 0), "type": "file" if n in OBJECTS else "directory"}
            for n in names
        ]
        return infos if detail else names

    def _open(self, *_args, **_options):
        raise AssertionError("metadata is enough")


class Broken(Bucket):
    """Its driver shows what it was told, secrets included."""

    protocol = "brokenfs"

    def info(self, path, **_options):
        raise RuntimeError(f"Forbidden: key s3cret may not HEAD {path}\nat line 5")


class Sizeless(Bucket):
    """Knows of an object, and not how large it is."""

    protocol = "sizelessfs"

    def info(self, path, **_options):
        return {"name": path, "type": "file", "size": None}


class Slow(Bucket):
    """Answers when the test is over."""

    protocol = "slowfs"
    released = threading.Event()

    def info(self, path, **_options):
        self.released.wait(60)
        return {"name": path, "type": "file", "size": 1}


@pytest.fixture(autouse=True)
def _registered():
    for kind in (Bucket, Broken, Sizeless, Slow):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("big.bin", 1000),
        ("day", 7),
        ("day/", 7),
        ("day/part-*", 7),
        ("day/part-?", 7),
        ("day/part-[1]", 4),
        ("**", 1007),
        ("", 1007),
    ],
)
def test_size_is_that_of_all_below_a_prefix_and_of_what_a_glob_matches(name, size):
    assert input_size_of(f"bucketfs://bucket/{name}") == size


def test_beginning_of_a_name_is_no_prefix():
    with pytest.raises(InputSizeError, match="there is no such object or prefix"):
        input_size_of("bucketfs://bucket/day/part")


def test_error_shows_neither_secret_nor_traceback_of_the_driver():
    with pytest.raises(InputSizeError, match="Forbidden") as caught:
        input_size_of("brokenfs://key:s3cret@bucket/big.bin")
    assert "brokenfs://***@bucket/big.bin" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "line 5" not in str(caught.value)
    assert caught.value.__context__ is None


def test_object_of_unknown_size_is_an_error():
    with pytest.raises(InputSizeError, match="names no size"):
        input_size_of("sizelessfs://bucket/big.bin")


def test_slow_store_is_not_waited_for():
    with pytest.raises(InputSizeError, match=r"no answer within 0\.05 s"):
        input_size_of("slowfs://bucket/big.bin", timeout_s=0.05)
    assert input_size_of("slowfs://bucket/big.bin", fallback=7, timeout_s=0.05) == 7
    Slow.released.set()


def test_driver_that_is_not_installed_is_named(monkeypatch):
    missing = {"class": "no_such_driver.FileSystem", "err": "Install no_such_driver"}
    monkeypatch.setitem(known_implementations, "missingfs", missing)
    with pytest.raises(InputSizeError, match="Install no_such_driver"):
        input_size_of("missingfs://bucket/big.bin")
