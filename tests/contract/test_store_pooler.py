"""Several teams and another application behind a real PgBouncer."""

import os
import pwd
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from arbo_bo import ArboOptimizer

pytestmark = pytest.mark.pgbouncer

CONFIGURATION = """
[databases]
arbo = host={server} dbname=arbo user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
unix_socket_mode = 0777
listen_port = 6432
auth_type = any
pool_mode = {mode}
default_pool_size = 3
logfile = {folder}/log
"""
SETTINGS = (
    "search_path",
    "lock_timeout",
    "default_transaction_isolation",
    "idle_in_transaction_session_timeout",
    "extra_float_digits",
    "synchronous_commit",
)
RUNS = 12


@pytest.fixture(params=["session", "transaction"])
def pooled_url(request, postgresql_url, tmp_path_factory):
    """URL of an empty database behind a pooler."""
    folder = tmp_path_factory.mktemp("pooler")
    folder.chmod(0o777)
    for parent in list(folder.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    server = postgresql_url.partition("host=")[2]
    text = CONFIGURATION.format(server=server, folder=folder, mode=request.param)
    (folder / "pgbouncer.ini").write_text(text)
    command = ["pgbouncer", "-q", str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:  # which it refuses to run as, and the server too
        command[1:1] = ["-u", pwd.getpwuid(os.stat(server).st_uid).pw_name]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    socket = folder / ".s.PGSQL.6432"
    until = time.monotonic() + 20
    while not socket.exists():
        assert process.poll() is None, "it did not start"
        assert time.monotonic() < until
        time.sleep(0.02)
    yield f"postgresql://anybody@/arbo?host={folder}&port=6432"
    process.terminate()
    process.wait(20)


def settings(url):
    """What another application's session is like."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    found = []
    for name in SETTINGS:
        cursor.execute(f"SHOW {name}")
        found.append(cursor.fetchone())
    connection.close()
    return found


def run(url, team, number):
    """Suggests and completes as one process of a team; returns the trial's identity."""
    with ArboOptimizer(f"{url}&schema={team}") as arbo:
        decision = arbo.suggest("t", idempotency_key=f"{team} {number}", deadline_s=60)
        arbo.complete_trial("t", decision, execution_time_s=2.0, exclusion_reason="a test")
    return decision.trial_id


def test_every_trial_is_in_its_own_teams_schema(pooled_url):
    teams = ["team_a", "team_b"]
    work = [(pooled_url, team, number) for number in range(RUNS) for team in teams]
    with ThreadPoolExecutor(6) as pool:
        acknowledged = list(pool.map(run, *zip(*work, strict=True)))
    for place, team in enumerate(teams):
        with ArboOptimizer(f"{pooled_url}&schema={team}") as arbo:
            trials = arbo.trials("t")
            assert {t.trial_id for t in trials} == set(acknowledged[place::2])
            assert {t.status for t in trials} == {"COMPLETED"}


def test_nothing_stays_behind_in_another_applications_session(pooled_url):
    before = settings(pooled_url)
    for number in range(4):
        run(pooled_url, "team_a", number)
        assert settings(pooled_url) == before
