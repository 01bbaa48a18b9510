"""A real Prometheus, from the Debian package of that name."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
from http_server import answering, serving

from arbo_bo.context import PrometheusLoad
from arbo_bo.errors import ClusterLoadError

METRICS = b"""# TYPE running_tasks gauge
running_tasks{pool="a"} 5
running_tasks{pool="b"} 7
broken_tasks NaN
"""
CONFIGURATION = """
global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}
scrape_configs:
  - job_name: tasks
    static_configs: [targets: ["{target}"]]
"""


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prometheus server that has read `METRICS`."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail(
            "there is no program prometheus: apt-get install prometheus, or leave these tests out "
            "with -m 'not prometheus'"
        )
    folder = tmp_path_factory.mktemp("prometheus")
    with serving(answering(body=METRICS, content_type="text/plain; version=0.0.4")) as tasks:
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(target=tasks.url.removeprefix("http://")))
        address = f"127.0.0.1:{free_port()}"
        command = [
            program,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}",
        ]
        with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                wait_for_a_scrape(f"http://{address}", process)
                yield f"http://{address}"
            finally:
                process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_a_scrape(url: str, process: subprocess.Popen[bytes]) -> None:
    load = PrometheusLoad(url, "sum(running_tasks)", timeout_s=1.0)
    for _ in range(300):
        try:
            load()
        except ClusterLoadError:
            assert process.poll() is None, "prometheus has ended"
            threading.Event().wait(0.1)
        else:
            return
    pytest.fail("prometheus has read no metrics in 30 s")
