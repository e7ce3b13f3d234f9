"""Doubtful columns are named in the closing line of prepare and on the page, with what to set."""

import json

import prepare_data
from pipeline.project import files, paths
from pipeline.report.sections import doubtful_columns

DOUBTS = [{"column": f"c{place}", "what": "dates", "do": "drop them"} for place in range(35)]
FIGURES = {
    "features": 40,
    "missing_share": 0.0,
    "split": {"train": 8, "test": 2},
    "doubts": DOUBTS,
}


class Subject:
    dataset = "mine"


def test_the_closing_line_names_the_doubtful_columns():
    line = prepare_data.closing_line("mine", FIGURES)
    assert "; doubtful: 'c0', 'c1'" in line and line.endswith("'c29' and 5 more")
    assert "doubtful" not in prepare_data.closing_line("mine", FIGURES | {"doubts": []})


def test_the_page_has_the_doubts_of_quality_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doubtful_columns.figures(Subject()) is None
    files.write_json(paths.metrics("mine", "quality"), FIGURES)
    section = doubtful_columns.figures(Subject())
    assert section.shown[0].do == "drop them" and section.further == 5
    assert len(json.loads(open(section.file).read())["doubts"]) == 35
