"""Packages that cannot be judged do not keep the others from it."""

from pathlib import Path

import pytest

from ops import audit
from pipeline.project.errors import DataError

# what pip-audit 2 prints with --format json
OURS = {"name": "our-own", "skip_reason": "Dependency not found on PyPI"}
SAFE = {"name": "numpy", "version": "2.4.6", "vulns": []}
FAULTY = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.7.3", "3.0"], "aliases": [], "description": ""},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": ""},
    ],
}


def told(monkeypatch, capsys, *packages: dict) -> list[str]:
    """Return what an audit that found these packages prints, and the error that ends it."""
    monkeypatch.setattr(audit, "look_up", lambda: audit.audited({"dependencies": list(packages)}))
    try:
        audit.main([])
    except DataError as error:
        print(f"error: {error}")
    return capsys.readouterr().out.splitlines()


def test_unknown_package_is_listed_and_the_others_are_judged(monkeypatch, capsys):
    assert told(monkeypatch, capsys, SAFE, OURS) == [
        "audit: not judged, as the index does not know them: 'our-own'",
        "audit: no known vulnerability in 1 packages",
    ]


def test_vulnerability_is_an_error_with_what_to_take(monkeypatch, capsys):
    assert told(monkeypatch, capsys, OURS, FAULTY) == [
        "audit: not judged, as the index does not know them: 'our-own'",
        "jinja2 2.4.1: PYSEC-1; take 2.7.3 or 3.0",
        "jinja2 2.4.1: PYSEC-2; no version without it yet",
        "error: 2 known vulnerabilities",
    ]


def test_nothing_judged_is_no_success(monkeypatch, capsys):
    assert told(monkeypatch, capsys, OURS)[-1] == "error: no package could be judged"


def test_list_of_pins_that_is_not_there_is_an_error_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not Path(audit.PINS).exists()
    with pytest.raises(DataError, match="nothing was looked up: .*constraints.txt"):
        audit.look_up()
