"""The time that the rest of a run may take, from the last run of the same stages."""

import pytest

from ops import stage_times

NEEDS = {"a": set(), "b": set(), "c": {"a"}, "end": {"b", "c"}}
KNOWN = {"a": 10.0, "b": 4.0, "c": 5.0, "end": 1.0}


@pytest.mark.parametrize(
    "waiting, running, jobs, left",
    [
        (["a", "b", "c", "end"], {}, 2, 16),
        (["a", "b", "c", "end"], {}, 1, 20),
        (["c", "end"], {"a": 8.0, "b": 1.0}, 2, 8),
        (["end"], {"c": 60.0}, 2, 1),  # it takes longer than last time
        ([], {}, 2, 0),
        (["new", "end"], {}, 2, None),
        (["end"], {"new": 1.0}, 2, None),
    ],
)
def test_rest_is_scheduled_with_the_seconds_of_last_time(waiting, running, jobs, left):
    needs = NEEDS | {"new": set()}
    assert stage_times.seconds_left(needs, waiting, running, KNOWN, jobs) == left


def test_times_are_kept_and_a_broken_file_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert stage_times.read() == {}
    stage_times.write({"b": 1.26, "a": 3.0})
    assert stage_times.read() == {"a": 3.0, "b": 1.3}
    for content in ("{", "[1]", '{"a": "x"}', '{"a": null}'):
        stage_times.TIMES.write_text(content)
        assert stage_times.read() == {}


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (61, "1 min"),
        (150, "2 min"),
        (3600, "1 h 0 min"),
        (4830, "1 h 20 min"),
    ],
)
def test_seconds_in_words(seconds, words):
    assert stage_times.in_words(seconds) == words
