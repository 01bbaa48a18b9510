"""The cluster load as a Prometheus server knows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from arbo_bo.context.http import opened
from arbo_bo.context.secrets import masked, scrubbed
from arbo_bo.errors import ClusterLoadError, InvalidValueError
from arbo_bo.experiment import validation

LONGEST_ANSWER = 1_000_000


@dataclass(frozen=True)
class PrometheusLoad:
    """The value of an instant query, as workers that other runs keep busy.

    Attributes:
        url: The server: ``http://prometheus:9090``, perhaps with a path or ``user:password@``.
        query: PromQL with one value: ``sum(airflow_executor_running_tasks)``.
        timeout_s: The server's limit on the query, and that of each network step [s].
        headers: Of the request, such as a bearer token or a tenant; not shown.

    Raises:
        InvalidValueError: The URL is none of HTTP, or the query is empty.
    """

    url: str
    query: str
    timeout_s: float = 2.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        validation.positive("timeout_s", self.timeout_s)
        if not isinstance(self.url, str) or not self.url.startswith(("http://", "https://")):
            raise InvalidValueError(
                f"the URL of a Prometheus server starts with http:// or https://, got "
                f"{masked(str(self.url))}"
            )
        if not isinstance(self.query, str) or not self.query.strip():
            raise InvalidValueError(f"a query is PromQL, got {validation.short(self.query)}")

    def __repr__(self) -> str:
        return f"PrometheusLoad({masked(self.url)!r}, {self.query!r})"

    def __call__(self) -> float:
        """Runs the query.

        Raises:
            ClusterLoadError: The server is not there, refuses the query, or answers with no value
                or several.
        """
        try:
            answer = self._ask()
        except (OSError, ValueError) as err:
            problem = _problem(err)
        else:
            return _value(answer)
        # Outside of the handler: what was raised may show the URL's secrets in a traceback.
        raise ClusterLoadError(scrubbed(problem, self.url))

    def _ask(self) -> Any:
        asked = urlencode({"query": self.query, "timeout": f"{round(self.timeout_s * 1000)}ms"})
        url = f"{self.url.rstrip('/')}/api/v1/query?{asked}"
        with opened(url, self.timeout_s, headers=self.headers) as response:
            return json.loads(response.read(LONGEST_ANSWER))


def _value(answer: Any) -> float:
    try:
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind not in ("vector", "scalar"):
            raise ClusterLoadError(f"the query must have one value at one moment, got a {kind}")
        if kind == "vector":
            if len(result) != 1:
                raise ClusterLoadError(
                    f"the query must have one value, got {len(result)} series; wrap it in "
                    "sum(...), and in `or vector(0)` if none may exist"
                )
            result = result[0]["value"]
        return float(result[1])
    except (TypeError, ValueError, LookupError) as err:
        raise ClusterLoadError(
            f"the server does not answer as Prometheus does: {validation.short(answer)}"
        ) from err


def _problem(error: Exception) -> str:
    if isinstance(error, HTTPError):
        with error:
            try:
                said = json.loads(error.read(LONGEST_ANSWER))["error"]
            except (OSError, ValueError, KeyError, TypeError):
                said = error.reason
        return f"the server answers {error.code}: {said}"
    return str(error) or type(error).__name__
