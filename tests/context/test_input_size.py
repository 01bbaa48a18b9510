"""Sizes of numbers, files, folders and globs on this machine, and of fsspec's memory."""

import errno
import logging
import os
from pathlib import Path

import fsspec
import numpy as np
import pytest

from arbo_bo.context import input_size_of
from arbo_bo.errors import InputSizeError, InvalidValueError


@pytest.fixture
def folder(tmp_path):
    """5 + 70 + 900 bytes, one of them in a folder of its own."""
    (tmp_path / "deep").mkdir()
    for name, size in (("a.csv", 5), ("b.csv", 70), ("deep/c.csv", 900), ("empty", 0)):
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


@pytest.fixture
def memory():
    """The same in fsspec's memory file system, which all of a process share."""
    system = fsspec.filesystem("memory")
    for name, size in (("a.csv", 5), ("b.csv", 70), ("deep/c.csv", 900), ("empty", 0)):
        system.pipe(f"/bucket/{name}", b"x" * size)
    yield "memory://bucket"
    system.rm("/bucket", recursive=True)


@pytest.mark.parametrize("source", [7, 7.0, np.float64(7), "7", " 7e0"])
def test_size_is_the_number_when_it_is_one(source):
    assert input_size_of(source) == 7.0


@pytest.mark.parametrize(
    ("source", "size"),
    [("5GB", 5e9), ("5 gb", 5e9), ("2.5MiB", 2.5 * 2**20), ("12 bytes", 12), ("3k", 3000)],
)
def test_size_is_in_bytes_when_the_number_has_a_unit(source, size):
    assert input_size_of(source) == size


def test_file_that_is_called_like_a_size_is_measured_when_its_folder_is_named(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2GB").write_bytes(b"x" * 7)
    assert input_size_of("./2GB") == 7


@pytest.mark.parametrize("source", ["1,500", "5 parsecs"])
def test_text_that_is_nearly_a_size_is_told_what_one_is(source):
    with pytest.raises(InputSizeError, match="give a number such as 1500 or 2GB, or a fallback"):
        input_size_of(source)


def test_size_is_unknown_when_there_is_no_source():
    assert input_size_of(None, fallback=3.0) is None


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("a.csv", 5),
        (".", 975),
        ("deep", 900),
        ("*.csv", 75),
        ("[ab].csv", 75),
        ("?.csv", 75),
        ("**", 975),
        ("**/*.csv", 975),
        ("*", 975),
    ],
)
@pytest.mark.parametrize("form", ["path", "text", "file"])
def test_local_size_is_that_of_the_files_that_are_named(folder, name, size, form):
    path = folder / name
    source = {"path": path, "text": str(path), "file": f"file://{path}"}[form]
    assert input_size_of(source) == size


@pytest.mark.parametrize(
    ("name", "size"),
    [("a.csv", 5), ("", 975), ("deep/", 900), ("*.csv", 75), ("**", 975), ("*", 975)],
)  # fmt: skip
def test_remote_size_is_that_of_the_objects_that_are_named(memory, name, size):
    assert input_size_of(f"{memory}/{name}") == size


def test_content_is_never_opened(memory, monkeypatch):
    monkeypatch.setattr(fsspec.AbstractFileSystem, "open", _forbidden)
    monkeypatch.setattr("builtins.open", _forbidden)
    assert input_size_of(memory) == 975


def _forbidden(*_args, **_options):
    raise AssertionError("metadata is enough")


def test_name_is_taken_as_it_is_when_it_exists(tmp_path):
    (tmp_path / "part[1].csv").write_bytes(b"1234")
    (tmp_path / "part1.csv").write_bytes(b"1")
    assert input_size_of(tmp_path / "part[1].csv") == 4


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert input_size_of("~/a.csv") == 5


def test_link_to_a_file_counts_and_one_that_leads_nowhere_does_not(folder):
    (folder / "deep/link").symlink_to(folder / "a.csv")
    (folder / "deep/broken").symlink_to(folder / "nothing")
    (folder / "deep/loop").symlink_to(folder)
    assert input_size_of(folder / "deep") == 905


@pytest.mark.parametrize("name", ["missing", "*.parquet", "empty"])
def test_error_names_the_path_when_there_is_no_size(folder, name):
    with pytest.raises(InputSizeError, match=r"cannot be had.*give a number") as caught:
        input_size_of(folder / name)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "*.parquet", "empty"])
def test_error_names_the_url_when_there_is_no_size(memory, name):
    with pytest.raises(InputSizeError, match="cannot be had") as caught:
        input_size_of(f"{memory}/{name}")
    assert f"memory://bucket/{name}" in str(caught.value)


def test_error_says_so_when_a_folder_may_not_be_read(folder, monkeypatch):
    def scandir(path):  # root may read everything, and CI may be root
        if path.endswith("deep"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputSizeError, match="Permission denied"):
        input_size_of(folder)


@pytest.mark.parametrize(
    "source",
    ["nosuchscheme://a/b", "zip://x::memory://bucket/a.zip", "s3://", "x" * 100_000, "a\0b",
     "http://[", "file://", "memory://\ud800", "::", "~nobody-of-that-name/x", "http://a b/"],
)  # fmt: skip
def test_only_a_typed_error_comes_out_when_the_source_is_odd(source):
    with pytest.raises(InputSizeError) as caught:
        input_size_of(source)
    assert len(str(caught.value)) < 1500
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "source", ["", b"path", True, [1], {}, float("nan"), "nan", "inf", -1, 0, "0", 1j]
)
def test_value_is_refused_when_it_is_no_source(source):
    with pytest.raises(InvalidValueError, match="input_size"):
        input_size_of(source)


@pytest.mark.parametrize(("fallback", "size"), [(9, 9.0), ("unknown", None)])
def test_fallback_stands_when_the_size_cannot_be_had(tmp_path, caplog, fallback, size):
    with caplog.at_level(logging.WARNING, "arbo_bo"):
        assert input_size_of(tmp_path / "missing", fallback) == size
    assert "missing cannot be had" in caplog.text


@pytest.mark.parametrize("fallback", ["other", -1, float("nan")])
def test_fallback_is_refused_when_it_is_no_size(fallback):
    with pytest.raises(InvalidValueError, match="fallback"):
        input_size_of(5, fallback)


def test_listing_is_fresh_when_the_input_has_grown(memory):
    assert input_size_of(memory) == 975
    fsspec.filesystem("memory").pipe("/bucket/d.csv", b"x" * 25)
    assert input_size_of(memory) == 1000


def test_path_is_understood_from_the_working_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert input_size_of("deep") == input_size_of(Path("deep")) == 900
