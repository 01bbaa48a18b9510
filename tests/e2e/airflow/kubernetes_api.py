"""The part of the Kubernetes API that a KubernetesPodOperator uses; every pod succeeds at once."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_POD = re.compile(r"/api/v1/namespaces/[^/]+/pods/([^/]+)(/log)?")
_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: fake
contexts: [{{name: fake, context: {{cluster: fake, user: fake}}}}]
clusters: [{{name: fake, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: fake, user: {{token: none}}}}]
"""


class KubernetesAPI:
    """Remembers every pod that was asked for.

    Attributes:
        created: The pods, in the order in which they came.
    """

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self._pods: dict[str, dict[str, Any]] = {}

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Returns the status and the body of an answer."""
        url = urlsplit(target)
        pod = _POD.fullmatch(url.path)
        if pod is not None:
            return self._one(method, pod[1], body, bool(pod[2]))
        if method == "POST":
            return 201, self._create(body)
        if url.path.endswith("/events"):
            return 200, {"kind": "EventList", "apiVersion": "v1", "items": []}
        selector = parse_qs(url.query).get("labelSelector", [""])[0]
        items = [pod for pod in self._pods.values() if _selected(pod, selector)]
        return 200, {"kind": "PodList", "apiVersion": "v1", "items": items}

    def _one(self, method: str, name: str, body: Any, log: bool) -> tuple[int, Any]:
        if name not in self._pods:
            return 404, {"kind": "Status", "code": 404, "message": f"no pod {name}"}
        if log:
            return 200, "2026-01-01T00:00:00Z done\n"
        if method == "DELETE":
            return 200, self._pods.pop(name)
        if method == "PATCH":
            self._pods[name]["metadata"]["labels"].update(body["metadata"]["labels"])
        return 200, self._pods[name]

    def _create(self, pod: dict[str, Any]) -> dict[str, Any]:
        ended = {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-01-01T00:00:00Z"}
        pod["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        pod["status"] = {
            "phase": "Succeeded",
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": ended},
                }
                for container in pod["spec"]["containers"]
            ],
        }
        self.created.append(pod)
        self._pods[pod["metadata"]["name"]] = pod
        return pod


def _selected(pod: dict[str, Any], selector: str) -> bool:
    labels = pod["metadata"].get("labels", {})
    for term in filter(None, selector.split(",")):
        name, unequal, value = term.partition("!=")
        if not unequal:
            name, _, value = term.partition("=")
        if (labels.get(name) == value.removeprefix("=")) == bool(unequal):
            return False
    return True


@contextmanager
def kubernetes_api(kubeconfig: Path) -> Iterator[KubernetesAPI]:
    """Serves on a free port of this machine, and says where in a kubeconfig."""
    api = KubernetesAPI()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = api.answer(self.command, self.path, body)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            kind = "text/plain" if isinstance(answer, str) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kubeconfig.write_text(_KUBECONFIG.format(port=server.server_port))
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
