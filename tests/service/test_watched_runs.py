"""What becomes of a run where the store, or the process that watches over it, goes away."""

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys

import pytest

from arbo_bo import ArboOptimizer
from arbo_bo.service.journal_entry import Entry

CLOSED_PORT = "postgresql://a@127.0.0.1:1/x"


@pytest.fixture
def alone(sqlite_url):
    """A store on a file, connected."""
    with ArboOptimizer(sqlite_url) as optimizer:
        optimizer.configure_experiment("t", parallelism=(1, 8))
        yield optimizer


@pytest.fixture
def lock(sqlite_url):
    """Holds the write lock of the store's file: `with lock: ...`."""

    class Lock:
        def __enter__(self):
            self.connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
            self.connection.execute("BEGIN EXCLUSIVE")

        def __exit__(self, *exc_info):
            self.connection.close()

    return Lock()


def test_block_runs_with_the_default_degree_when_the_database_is_down(journal, caplog):
    with ArboOptimizer(CLOSED_PORT).trial("t", default_parallelism=3, deadline_s=0.1) as decision:
        ran = decision.parallelism
    assert (ran, decision.trial_index) == (3, None)
    assert "3 workers, the default" in caplog.text


def test_block_runs_when_its_input_has_no_size(arbo, journal, tmp_path):
    with arbo.trial("t", input_size=str(tmp_path / "nothing"), default_parallelism=3) as decision:
        pass
    assert decision.parallelism == 3
    assert [(t.status, t.parallelism) for t in arbo.trials("t")] == [("COMPLETED", 3)]


def test_measured_time_is_in_the_journal_when_the_database_is_down(journal):
    with ArboOptimizer(CLOSED_PORT).trial("t", input_size=7, deadline_s=0.1):
        pass
    (file,) = journal.iterdir()
    entry = Entry.from_json(file.read_text())
    assert (entry.task, entry.parallelism, entry.input_size) == ("t", 5, 7.0)
    assert entry.ending.execution_time_s > 0


def test_secrets_are_not_in_the_journal_when_the_url_has_them(journal):
    with ArboOptimizer("postgresql://a:secret@127.0.0.1:1/x").trial("t", deadline_s=0.1):
        pass
    (file,) = journal.iterdir()
    assert "secret" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_own_error_is_raised_when_the_database_is_down(journal):
    with pytest.raises(ZeroDivisionError), ArboOptimizer(CLOSED_PORT).trial("t", deadline_s=0.1):
        raise ZeroDivisionError
    (file,) = journal.iterdir()
    assert Entry.from_json(file.read_text()).ending.status == "FAILED"


def test_script_goes_on_when_the_server_is_killed_during_the_work(
    stoppable_server, journal, caplog
):
    arbo = ArboOptimizer(stoppable_server.get_uri())
    with arbo.trial("t", deadline_s=0.5):
        stoppable_server.cleanup()
    assert "the next arbo call on this machine delivers it" in caplog.text
    assert len(list(journal.iterdir())) == 1


def test_outcome_is_delivered_by_the_next_suggestion_when_the_store_is_back(lock, alone, journal):
    block = alone.trial("t", deadline_s=0.1)
    decision = block.__enter__()
    with lock:
        block.__exit__(None, None, None)
    assert alone.trials("t")[0].status == "RUNNING"
    alone.suggest("t")
    assert alone.trials("t")[decision.trial_index].status == "COMPLETED"
    assert list(journal.iterdir()) == []


def test_a_trial_is_made_of_a_run_that_began_without_one(lock, alone, journal):
    with lock, alone.trial("t", input_size=7, default_parallelism=6, deadline_s=0.1):
        pass
    assert alone.trials("t") == []
    (trial,) = alone.deliver()
    assert (trial.status, trial.parallelism, trial.input_size) == ("COMPLETED", 6, 7.0)
    assert alone.deliver() == []
    assert [t.execution_time_s for t in alone.trials("t")] == [trial.execution_time_s]


def test_a_failure_is_delivered_as_one(lock, alone, journal):
    with lock, pytest.raises(MemoryError), alone.trial("t", deadline_s=0.1):
        raise MemoryError("no memory")
    alone.deliver()
    (trial,) = alone.trials("t")
    assert (trial.status, trial.failure_reason) == ("FAILED", "MemoryError: no memory")


def test_nothing_is_doubled_when_a_delivery_is_repeated(lock, alone, journal):
    with lock, alone.trial("t", deadline_s=0.1):
        pass
    (file,) = journal.iterdir()
    text = file.read_text()
    alone.deliver()
    file.write_text(text)  # as if the process had died before it removed the file
    alone.deliver()
    assert [t.status for t in alone.trials("t")] == ["COMPLETED"]


def test_an_outcome_is_put_aside_when_its_trial_has_another_one(lock, alone, journal, caplog):
    block = alone.trial("t", deadline_s=0.1)
    decision = block.__enter__()
    with lock:
        block.__exit__(None, None, None)
    alone.mark_trial_abandoned("t", decision.trial_index)
    assert alone.deliver() == []
    (file,) = journal.iterdir()
    assert file.suffix == ".refused"
    assert "the store refuses it" in caplog.text


def test_other_stores_outcomes_stay_when_one_is_delivered(arbo, journal):
    with ArboOptimizer(CLOSED_PORT).trial("t", deadline_s=0.1):
        pass
    assert arbo.deliver() == []
    assert len(list(journal.iterdir())) == 1


def test_the_next_call_abandons_a_trial_when_its_process_was_killed(arbo, store_url, journal):
    killed(store_url)
    (trial,) = arbo.trials("t")
    assert trial.status == "RUNNING"
    arbo.suggest("t")
    trial = arbo.trials("t")[0]
    assert trial.status == "ABANDONED"
    assert "ended without a word" in trial.failure_reason
    assert list(journal.iterdir()) == []


def test_a_run_is_left_alone_while_its_process_lives(arbo, store_url, journal):
    with arbo.trial("t"):
        ArboOptimizer(store_url).suggest("t")
        assert [t.status for t in arbo.trials("t")] == ["RUNNING", "RUNNING"]


def test_a_run_of_another_machine_is_left_alone(arbo, store_url, journal):
    killed(store_url)
    (file,) = journal.iterdir()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"host": "elsewhere"}))
    arbo.suggest("t")
    assert arbo.trials("t")[0].status == "RUNNING"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"task": 3, "degrees": [-1]}'])
def test_a_damaged_file_harms_no_suggestion(arbo, journal, text):
    journal.mkdir(parents=True)
    (journal / "x.json").write_text(text)
    arbo.suggest("t")
    assert (journal / "x.json").read_text() == text


def test_block_is_completed_when_no_journal_can_be_kept(arbo, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with arbo.trial("t"):
        pass
    assert arbo.trials("t")[0].status == "COMPLETED"


def test_no_folder_is_made_where_the_program_stands_when_the_user_has_no_home(
    arbo, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", "~")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    with arbo.trial("t"):
        pass
    assert arbo.trials("t")[0].status == "COMPLETED"
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"arbo.db"}


def test_the_log_has_the_command_when_no_journal_can_be_kept(
    lock, alone, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    block = alone.trial("t", deadline_s=0.1)
    block.__enter__()
    with lock:
        block.__exit__(None, None, None)
    (trial,) = alone.trials("t")
    assert f"once the store is back: arbo complete t {trial.trial_id} --time " in caplog.text


def test_a_time_is_not_lost_when_no_disk_takes_a_byte(alone, journal, caplog):
    block = alone.trial("t", deadline_s=0.1)
    block.__enter__()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        block.__exit__(None, None, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert re.search(r"once the store is back: arbo complete t \S+ --time \S+ --store", caplog.text)
    assert list(journal.iterdir()) == []
    alone.suggest("t")
    assert alone.trials("t")[0].status == "RUNNING"  # and not taken for one that has died


def test_a_forked_child_that_leaves_the_block_does_not_end_the_run(arbo, store_url, journal):
    code = (
        "import os, sys; from arbo_bo import ArboOptimizer\n"
        "with ArboOptimizer(sys.argv[1]).trial('t'):\n"
        "    if os.fork() == 0: sys.exit(0)\n"
        "    os.wait()"
    )
    done = subprocess.run([sys.executable, "-c", code, store_url], env=os.environ, check=False)
    assert done.returncode == 0
    assert [t.status for t in arbo.trials("t")] == ["COMPLETED"]


def killed(url):
    code = (
        "import os, sys; from arbo_bo import ArboOptimizer\n"
        "with ArboOptimizer(sys.argv[1]).trial('t'): os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, url], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
