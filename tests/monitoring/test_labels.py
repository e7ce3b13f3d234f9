"""Labels that come later: read from a file by request and row."""

import pandas as pd
import pytest

from pipeline.monitoring.labels import read_labels
from pipeline.project.errors import DataError


def test_labels_are_read_by_request_and_row(project):
    pd.DataFrame(
        {
            "request_id": ["0a", "0a", "0b", "0c"],
            "row": [0, 1, 0, 0],
            "label": ["x", "y", "x", None],
        }
    ).to_csv("l.csv")
    labels = read_labels("l.csv")
    assert labels.to_numpy().tolist() == [["0a", 0, "x"], ["0a", 1, "y"], ["0b", 0, "x"]]
    pd.DataFrame({"request_id": ["0a", "0b"], "label": [1.5, 2.5]}).to_parquet("l.parquet")
    assert read_labels("l.parquet")["row"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "content, message",
    [
        ("request_id,truth\na,1\n", "no column 'label'"),
        ("request_id,label\na,1\na,2\n", "request 'a', row 0, is answered more"),
        ("request_id,row,label\na,first,2\n", "row: 'first' in line 2"),
        ("", "an empty file"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(project, content, message):
    (project / "l.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_labels("l.csv")
