import pytest

from arbo_bo.context.secrets import masked, scrubbed


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/key", "s3://bucket/key"),
        ("s3://bucket/part-?.csv", "s3://bucket/part-?.csv"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("s3://AKIA:sec/ret@bucket/key", "s3://***@bucket/key"),
        ("sftp://me:secret@host:22/a", "sftp://***@host:22/a"),
        ("sftp://host:22/a@b", "sftp://host:22/a@b"),
        ("s3://bucket/key?token=secret", "s3://bucket/key?***"),
        ("https://u:secret@host/a?sig=secret#secret", "https://***@host/a?***"),
        ("https://host/a?secret", "https://host/a?***"),
        ("/data/in.csv", "/data/in.csv"),
        ("a\nb\x1b[31m", "a?b?[31m"),
    ],
)
def test_url_is_shown_without_its_secrets(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("GET https://u:pass@h/a?sig=abcdef failed", "GET https://***@h/a?*** failed"),
        ("bad signature abcdef", "bad signature ***"),
        ("\n refused for pass \n more", "refused for ***"),
    ],
)
def test_message_of_others_is_shown_without_the_secrets(message, shown):
    assert scrubbed(message, "https://u:pass@h/a?sig=abcdef") == shown
