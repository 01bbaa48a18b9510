"""A real Airflow: api-server, scheduler and dag-processor as processes, driven through its API."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

ENDED = ("success", "failed")
POLL_S = 0.25


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def kill_session(session: int) -> None:
    """SIGKILLs every process of a session; a task leads a process group of its own in it."""
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)


class Airflow:
    """Three daemons and a folder of DAGs.

    Args:
        home: An empty folder.
        dags: The folder of DAGs.
        database_url: An empty PostgreSQL database for Airflow itself.
        environment: Further variables of the daemons.
    """

    def __init__(
        self, home: Path, dags: Path, database_url: str, environment: Mapping[str, str]
    ) -> None:
        self.home, self.port, self._token = home, free_port(), ""
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        settings = {
            "CORE__DAGS_FOLDER": str(dags),
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "16",
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "DATABASE__SQL_ALCHEMY_CONN": database_url,
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self.port),
            "API__BASE_URL": f"http://127.0.0.1:{self.port}",
            "API__WORKERS": "1",
            "API__SECRET_KEY": secrets.token_hex(16),
            "API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
            "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "DAG_PROCESSOR__REFRESH_INTERVAL": "600",
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        }
        self.environment = {
            **os.environ,
            **{f"AIRFLOW__{name}": value for name, value in settings.items()},
            "AIRFLOW_HOME": str(home),
            "OMP_NUM_THREADS": "1",
            **environment,
        }

    def start(self) -> None:
        """Creates the metadata database and starts the daemons, until the API answers."""
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in ("api-server", "scheduler", "dag-processor"):
            self.start_daemon(name)
        wait_for("the API", self._log_in, 120)

    def start_daemon(self, name: str, **settings: str) -> None:
        """Starts one daemon in a session of its own, so that its children can be ended with it."""
        more = {f"AIRFLOW__{setting}": value for setting, value in settings.items()}
        with (self.home / f"{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name],
                env=self.environment | more,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILLs one daemon and what it started, as a lost machine does.

        Alone, a LocalExecutor's workers and their tasks would live on, and with the scheduler's
        inherited connection they would hold its locks on the runs that it was looking at.
        """
        daemon = self._daemons[name]
        kill_session(daemon.pid)
        daemon.wait()

    def stop(self, *names: str) -> None:
        """Ends some daemons, or all of them, and what they started."""
        ended = [self._daemons.pop(name) for name in names or list(self._daemons)]
        for daemon in ended:
            daemon.terminate()
        for daemon in ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(5)
            kill_session(daemon.pid)
            daemon.wait()

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the public API, version 2."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as err:
            text = err.read().decode(errors="replace")
            raise AssertionError(f"{method} {path}: {err.code} {text}") from err

    def wait_for_dags(self, *dag_ids: str) -> None:
        """Waits until the DAGs are there, and shows import errors."""

        def visible() -> bool:
            errors = self.api("GET", "/importErrors")["import_errors"]
            assert not errors, "\n".join(error["stack_trace"] for error in errors)
            known = {dag["dag_id"] for dag in self.api("GET", "/dags?limit=100")["dags"]}
            return set(dag_ids) <= known

        wait_for(f"the DAGs {dag_ids}", visible, 120)

    def trigger(self, dag_id: str, **conf: Any) -> Run:
        """Triggers a run and returns at once."""
        body = {"logical_date": None, "conf": conf}
        return Run(self, dag_id, self.api("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def _log_in(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/auth/token", timeout=10
            ) as answer:
                self._token = json.loads(answer.read())["access_token"]
        except (OSError, KeyError):
            return False
        return True


class Run:
    """One DAG run."""

    def __init__(self, airflow: Airflow, dag_id: str, run_id: str) -> None:
        self.airflow, self.dag_id, self.run_id = airflow, dag_id, run_id
        self.path = f"/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"

    @property
    def state(self) -> str:
        return str(self.airflow.api("GET", self.path)["state"])

    def wait(self, seconds: float = 150) -> Run:
        """Waits for the end of the run."""
        wait_for(f"the end of {self.path}", lambda: self.state in ENDED, seconds)
        return self

    def instances(self, task_id: str) -> list[dict[str, Any]]:
        """The task's instances, by map index."""
        listed = self.airflow.api("GET", f"{self.path}/taskInstances?limit=500")["task_instances"]
        found = [instance for instance in listed if instance["task_id"] == task_id]
        return sorted(found, key=lambda instance: instance["map_index"])

    def states(self, task_id: str) -> list[str | None]:
        return [instance["state"] for instance in self.instances(task_id)]

    def wait_for_state(self, task_id: str, state: str, seconds: float = 90) -> None:
        """Waits until every instance of a task is in the state."""

        def reached() -> bool:
            states = self.states(task_id)
            return bool(states) and set(states) == {state}

        wait_for(f"{task_id} of {self.path} to be {state}", reached, seconds)

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        path = f"{self.path}/taskInstances/{task_id}/xcomEntries/{key}?map_index={map_index}"
        return self.airflow.api("GET", f"{path}&deserialize=true")["value"]

    def log(self, task_id: str, attempt: int = 1) -> str:
        """The text of a task's log."""
        path = f"{self.path}/taskInstances/{task_id}/logs/{attempt}?map_index=-1&full_content=true"
        events = self.airflow.api("GET", path)["content"]
        return "\n".join(json.dumps(event, ensure_ascii=False) for event in events)

    def clear(self, *task_ids: str) -> None:
        """Clears tasks and what is downstream of them, as a person does in the UI."""
        body = {
            "dag_run_id": self.run_id,
            "task_ids": list(task_ids),
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        self.airflow.api("POST", f"/dags/{self.dag_id}/clearTaskInstances", body)

    def delete(self) -> None:
        """Deletes the run, as a person does in the UI."""
        self.airflow.api("DELETE", self.path)

    def set_failed(self) -> None:
        """Marks the run as failed, as a person does in the UI."""
        self.airflow.api("PATCH", self.path, {"state": "failed"})

    def set_state(self, task_id: str, map_index: int, state: str) -> None:
        """Sets the state of one instance, as a person does in the UI."""
        path = f"{self.path}/taskInstances/{task_id}/{map_index}"
        self.airflow.api("PATCH", path, {"new_state": state})


def wait_for(what: str, reached: Callable[[], bool], seconds: float) -> None:
    """Polls until something is reached, and says what was not."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(POLL_S)
