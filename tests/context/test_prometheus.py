"""Against a real Prometheus, and against servers that only pretend."""

import pytest
from http_server import answering, hanging, serving

from arbo_bo.context import PrometheusLoad, cluster_load_of
from arbo_bo.errors import ClusterLoadError, InvalidValueError


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("sum(running_tasks)", 12.0),
        ('running_tasks{pool="a"}', 5.0),
        ("scalar(vector(3))", 3.0),
        ("sum(missing) or vector(0)", 0.0),
    ],
)
@pytest.mark.prometheus
def test_load_is_the_value_of_the_query(prometheus, query, value):
    assert PrometheusLoad(prometheus, query)() == value
    assert cluster_load_of(PrometheusLoad(f"{prometheus}/", query)) == value


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("running_tasks", "got 2 series; wrap it in sum"),
        ("sum(missing)", "got 0 series"),
        ("running_tasks[1m]", "got a matrix"),
        ("'text'", "got a string"),
        ("sum(", "answers 400: .*parse error"),
    ],
)
@pytest.mark.prometheus
def test_error_says_what_to_do_when_there_is_not_one_value(prometheus, query, message):
    with pytest.raises(ClusterLoadError, match=message):
        PrometheusLoad(prometheus, query)()


@pytest.mark.parametrize("query", ["broken_tasks", "sum(missing)", "-sum(running_tasks)", "sum("])
@pytest.mark.prometheus
def test_load_is_unknown_when_the_query_has_no_usable_value(prometheus, query, caplog):
    assert cluster_load_of(PrometheusLoad(prometheus, query)) is None
    assert "the cluster load is unknown" in caplog.text


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (answering(body=b"<html>"), "Expecting value"),
        (answering(body=b"{}"), "as Prometheus does"),
        (answering(body=b"[]"), "as Prometheus does"),
        (answering(body=b'{"data": {"resultType": "vector", "result": [3]}}'), "as Prometheus"),
        (answering(body=b'{"data": {"resultType": "scalar", "result": []}}'), "as Prometheus"),
        (answering(502, body=b"no gateway"), "answers 502"),
    ],
)
def test_only_a_typed_error_comes_out_when_the_answer_is_odd(answer, message):
    with serving(answer) as server, pytest.raises(ClusterLoadError, match=message):
        PrometheusLoad(server.url, "up")()


def test_load_is_unknown_when_the_server_is_gone(caplog):
    with serving(answering()) as server:
        url = server.url
    assert cluster_load_of(PrometheusLoad(url, "up")) is None
    assert "refused" in caplog.text


def test_load_is_unknown_when_the_server_hangs(caplog):
    with serving(hanging) as server:
        assert cluster_load_of(PrometheusLoad(server.url, "up"), timeout_s=0.05) is None
    assert "no answer within 0.05 s" in caplog.text


def test_secrets_are_sent_and_not_shown(caplog):
    with serving(answering(401)) as server:
        url = server.url.replace("://", "://user:s3cret@")
        load = PrometheusLoad(url, "up", headers={"X-Scope-OrgID": "0ther"})
        assert cluster_load_of(load) is None
    assert server.headers[0]["Authorization"] == "Basic dXNlcjpzM2NyZXQ="
    assert server.headers[0]["X-Scope-Orgid"] == "0ther"
    assert "answers 401" in caplog.text
    assert not any(secret in caplog.text + repr(load) for secret in ("s3cret", "0ther"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prometheus:9090", "up"), "starts with http"),
        ((None, "up"), "starts with http"),
        (("http://h", " "), "PromQL"),
        (("http://h", None), "PromQL"),
        (("http://h", "up", 0), "timeout_s"),
    ],
)
def test_setting_is_refused_when_it_cannot_work(arguments, message):
    with pytest.raises(InvalidValueError, match=message):
        PrometheusLoad(*arguments)
