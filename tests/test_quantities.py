"""What is printed can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbo_bo._format import format_time
from arbo_bo._parse import parse_size, parse_time_s


@given(st.floats(1e-6, 1e12))
def test_every_time_that_is_printed_is_read(seconds):
    assert parse_time_s(format_time(seconds)) == pytest.approx(seconds, rel=0.01, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("1.5", 1.5), ("1e3", 1000), (".5s", 0.5), ("0", 0), ("0s", 0),
        ("90s", 90), ("40sec", 40), ("500ms", 0.5), ("10m", 600), ("1.5h", 5400), ("90d", 7776000),
        ("1h30m", 5400), ("1h 30m", 5400), ("1 hour, 30 minutes", 5400), ("2 min 05 s", 125),
        ("3 h 20 min", 12000), ("12.5 d", 1080000), ("0:01:30", 90), ("1:30", 90),
        ("0:02.06", 2.06), ("26:00:00", 93600), ("0m2.064s", 2.064), (" 5 M ", 300),
        ("2w", 1209600), ("40 µs", 4e-5), ("1.23e+03 d", 1.0627e8),
    ],
)  # fmt: skip
def test_time_is_read_however_it_is_written(text, seconds):
    assert parse_time_s(text) == pytest.approx(seconds, rel=1e-4)


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5m", "nan", "inf", "nanm", "10 parsecs", "30m1h", "5m5m", "1h30", "1:60:00",
     "1:2:3:4", "5m x", "1e999", "5,5s", "1_0", "٣s"],
)  # fmt: skip
def test_text_is_refused_when_it_is_no_time(text):
    with pytest.raises(ValueError, match=r"no time|out of range"):
        parse_time_s(text)


@pytest.mark.parametrize("text", ["90", "1:30"])
def test_time_is_refused_when_its_unit_is_needed_and_missing(text):
    with pytest.raises(ValueError, match="no unit"):
        parse_time_s(text, needs_unit=True)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1234", 1234), ("2GB", 2e9), ("2 GB", 2e9), ("1.5GiB", 1.5 * 2**30), ("400kB", 4e5),
     ("5M", 5e6), ("10 bytes", 10), ("1TiB", 2**40), ("1e3", 1000), ("3gb", 3e9)],
)  # fmt: skip
def test_size_is_read_however_it_is_written(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "GB", "-1GB", "2 iB", "2GBs", "5 parsecs", "1e999", "input.csv"]
)
def test_text_is_refused_when_it_is_no_size(text):
    with pytest.raises(ValueError, match=r"no size|out of range"):
        parse_size(text)
