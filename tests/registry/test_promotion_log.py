"""The promotion log: a changed line shows, and the aliases follow from the lines."""

import json
from dataclasses import replace

import pytest

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.registry import promotion_log
from support.registered import entry, three_lines


@pytest.mark.parametrize(
    "change, number",
    [
        (lambda texts: [texts[0].replace("promoted", "refused"), *texts[1:]], 2),
        (lambda texts: [texts[0], texts[1].replace('"version": 2', '"version": 9'), texts[2]], 3),
        (lambda texts: [texts[0], texts[2]], 2),
        (lambda texts: texts[1:], 1),
        (lambda texts: [texts[0], texts[0], *texts[1:]], 2),
        (lambda texts: [texts[1], texts[0], texts[2]], 1),
        (lambda texts: [texts[0].replace(": ", ":"), *texts[1:]], 1),
    ],
)
def test_line_that_was_changed_removed_or_put_in_shows(change, number):
    assert [line.entry.version for line in promotion_log.checked_lines(three_lines(), "log")] == [
        1,
        2,
        3,
    ]
    with pytest.raises(DataError, match=f"log: line {number} does not follow from the one before"):
        promotion_log.checked_lines(change(three_lines()), "log")


def test_half_a_line_is_reported(become):
    become("first")
    files.write_text(paths.promotions("tiny"), "\n".join(three_lines())[:-5])
    with pytest.raises(
        DataError,
        match="logs/promotions/tiny.jsonl: line 3 is not a whole JSON object; restore the file",
    ):
        promotion_log.read_log("tiny")


@pytest.mark.parametrize(
    "outcomes, expected",
    [
        ("p1", {"champion": "1", "production": "1"}),
        ("n1", {"challenger": "1"}),
        ("n1 p2", {"champion": "2", "production": "2"}),
        ("n1 r1", {"champion": "1", "production": "1"}),
        ("p1 p2", {"champion": "2", "production": "2", "previous": "1"}),
        ("p1 n2", {"champion": "1", "production": "1", "challenger": "2"}),
        ("p1 n2 p3", {"champion": "3", "production": "3", "previous": "1"}),
        ("p1 n2 r2", {"champion": "2", "production": "2", "previous": "1"}),
        ("p1 p2 n3 r1", {"champion": "1", "production": "1", "previous": "2", "challenger": "3"}),
        ("p1 p2 r1 r2", {"champion": "2", "production": "2", "previous": "1"}),
    ],
)
def test_aliases_follow_from_the_lines(outcomes, expected):
    words = {
        "p": promotion_log.PROMOTED,
        "n": promotion_log.UNDECIDED,
        "r": promotion_log.ROLLED_BACK,
    }
    lines = []
    for what, sha256 in outcomes.split():
        decision = entry(words[what], int(sha256), sha256)
        lines.append(promotion_log.next_line(lines, decision))
    assert promotion_log.aliases_after(lines) == expected


def test_lines_keep_the_keys_and_their_order_in_which_they_were_hashed():
    plain = entry(promotion_log.PROMOTED, 1, "1")
    figures = {"rows": 60, "fault": "too few"}
    decided = replace(plain, outcome=promotion_log.UNDECIDED, rule="better", figures=figures)
    first = promotion_log.next_line([], plain)
    second = promotion_log.next_line([first], decided)
    keys = (
        "number time who dataset name outcome version sha256 bundle_sha256 data_hash from to reason"
    )
    assert list(json.loads(first.text)) == [*keys.split(), "git_commit", "before"]
    assert list(json.loads(second.text)) == [
        *keys.split(),
        "rule",
        "figures",
        "git_commit",
        "before",
    ]
    assert promotion_log.checked_lines([first.text, second.text], "log") == [first, second]
