"""Sizes from a real HTTP server."""

import pytest
from http_server import answering, hanging, serving

from arbo_bo.context import input_size_of
from arbo_bo.errors import InputSizeError


def head_refused(request):
    refused = answering(405)
    (refused if request.command == "HEAD" else answering(206, content_range="bytes 0-0/777"))(
        request
    )


def without_length_at_head(request):
    (answering() if request.command == "HEAD" else answering(content_length=31))(request)


def with_password(server):
    return server.url.replace("://", "://user:s3cret@")


def redirect(request):
    target = {"/old": answering(302, location="/new")}.get(
        request.path, answering(content_length=8)
    )
    target(request)


def test_length_comes_from_head_alone():
    with serving(answering(content_length=12345)) as server:
        assert input_size_of(f"{server.url}/a.csv") == 12345
    assert server.asked == [("HEAD", "/a.csv")]
    assert server.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("answer", "size"), [(head_refused, 777), (without_length_at_head, 31)])
def test_length_comes_from_the_first_byte_when_head_does_not_tell(answer, size):
    with serving(answer) as server:
        assert input_size_of(f"{server.url}/a.csv") == size
    assert [method for method, _ in server.asked] == ["HEAD", "GET"]
    assert server.headers[1]["Range"] == "bytes=0-0"


def test_redirection_is_followed():
    with serving(redirect) as server:
        assert input_size_of(f"{server.url}/old") == 8


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (answering(body=b"a stream"), "names no length"),
        (answering(206, content_range="bytes 0-0/*"), "names no length"),
        (answering(404), "404"),
        (answering(403), "403"),
    ],
)
def test_error_shows_the_url_when_the_server_does_not_tell(answer, message):
    with serving(answer) as server, pytest.raises(InputSizeError, match=message) as caught:
        input_size_of(f"{server.url}/a.csv")
    assert f"{server.url}/a.csv" in str(caught.value)


def test_secrets_are_sent_and_not_shown():
    with serving(answering(403)) as server, pytest.raises(InputSizeError) as caught:
        input_size_of(with_password(server) + "/a.csv?X-Amz-Signature=0ther#part")
    assert server.asked[0] == ("HEAD", "/a.csv?X-Amz-Signature=0ther")
    assert server.headers[0]["Authorization"] == "Basic dXNlcjpzM2NyZXQ="
    assert "***@127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "0ther" not in str(caught.value)
    assert caught.value.__context__ is None


def test_password_stays_with_its_server_when_that_redirects():
    with (
        serving(answering(content_length=5)) as other,
        serving(answering(302, location=f"{other.url}/b")) as server,
    ):
        assert input_size_of(with_password(server) + "/a") == 5
    assert "Authorization" in server.headers[0]
    assert "Authorization" not in other.headers[0]


def test_slow_server_is_not_waited_for():
    with (
        serving(hanging) as server,
        pytest.raises(InputSizeError, match=r"within 0\.05 s|timed out"),
    ):
        input_size_of(f"{server.url}/a.csv", timeout_s=0.05)


def test_server_that_is_gone_is_an_error():
    with serving(answering()) as server:
        url = f"{server.url}/a.csv"
    with pytest.raises(InputSizeError, match="refused"):
        input_size_of(url)
