"""What a user is told of files and folders that may not be read or written."""

import ctypes
import os
import subprocess
import sys

import pytest

from arbo_bo.experiment import Experiment
from arbo_bo.storage.store import SQLTrialStore

DAC_CAPABILITIES = (1, 2)
PR_CAPBSET_DROP = 24
WRITE = """
import sys
from arbo_bo.errors import StoreError
from arbo_bo.experiment import Experiment
from arbo_bo.storage.store import SQLTrialStore
with SQLTrialStore(sys.argv[1]) as store:
    try:
        print("tasks", len(store.experiments()))
        store.configure("b", lambda _: Experiment("b"))
    except StoreError as err:
        print(type(err).__name__, err)
"""


def as_ordinary_user():
    """Takes from root what lets it pass over a file's permissions; it holds from the next exec."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in DAC_CAPABILITIES:
            assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def run_as_ordinary_user(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        preexec_fn=as_ordinary_user,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def write_as_ordinary_user(url):
    return run_as_ordinary_user("-c", WRITE, url).stdout


def test_reading_works_and_writing_is_refused_when_the_file_is_protected(tmp_path):
    url = f"sqlite:///{tmp_path}/arbo.db"
    with SQLTrialStore(url) as store:
        store.configure("a", lambda _: Experiment("a"))
    (tmp_path / "arbo.db").chmod(0o444)
    said = write_as_ordinary_user(url)
    assert said.startswith("tasks 1\nStoreReadOnlyError")
    assert "give this user the right to write" in said


@pytest.mark.parametrize("mode", [0o555, 0o000])
@pytest.mark.parametrize("path", ["arbo.db", "deeper/arbo.db"])
def test_store_is_refused_when_its_folder_is_protected(tmp_path, mode, path):
    folder = tmp_path / "protected"
    (folder / "deeper").mkdir(parents=True, mode=mode)
    folder.chmod(mode)
    said = write_as_ordinary_user(f"sqlite:///{folder}/{path}")
    folder.chmod(0o755)
    assert said.startswith("StoreReadOnlyError")
    assert "permission denied" in said


def test_store_is_refused_when_its_file_may_not_be_read(tmp_path):
    (tmp_path / "arbo.db").touch(mode=0)
    said = write_as_ordinary_user(f"sqlite:///{tmp_path}/arbo.db")
    assert said.startswith("StoreReadOnlyError")


def test_doctor_finds_that_the_folder_is_protected(tmp_path):
    (tmp_path / "protected").mkdir()
    url = f"sqlite:///{tmp_path}/protected/arbo.db"
    with SQLTrialStore(url) as store:
        store.configure("a", lambda _: Experiment("a"))
    (tmp_path / "protected").chmod(0o555)
    done = run_as_ordinary_user("-m", "arbo_bo", "doctor", "--store", url)
    assert (done.returncode, done.stderr) == (1, "")
    assert "rights    this user may not write to the file's folder" in done.stdout


@pytest.mark.parametrize("command", ["doctor", "tasks", "export --all"])
def test_commands_name_the_file_when_its_folder_is_closed(tmp_path, command):
    (tmp_path / "closed").mkdir(mode=0)
    url = f"sqlite:///{tmp_path}/closed/arbo.db"
    done = run_as_ordinary_user("-m", "arbo_bo", *command.split(), "--store", url)
    assert done.returncode == 1
    assert done.stderr == f"arbo: error: {tmp_path}/closed/arbo.db: Permission denied\n"
