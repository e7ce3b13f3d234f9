"""Bad files, through the scripts: one line on standard error, status 1, earlier outputs as they
were.
"""

import numpy as np
import pandas as pd
import pytest

from pipeline.project import params
from support.projects import edit, sales
from support.refusals import STAGES

SCRIPTS = ["generate_data", "prepare_data", "train"]


def csv(table: pd.DataFrame, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


def with_values(column: str, values) -> pd.DataFrame:
    """Return the table with other values in the first rows of a column."""
    table = sales().astype({column: object})
    table.loc[table.index[: len(values)], column] = values
    return table


# what the file holds, the script that refuses it, and what its line says after the file's name
FILES = {
    "empty file": (b"", "generate_data", "an empty file; give a CSV with a header line"),
    "header without rows": (
        csv(sales()[:0]),
        "generate_data",
        "a header and no rows; give a file with data",
    ),
    "header with a name twice": (
        b"size,size,sold\n1,2,Yes\n",
        "generate_data",
        "the header names 'size' more than once; rename the columns",
    ),
    "wrong delimiter": (
        csv(sales(), sep=";"),
        "generate_data",
        "one column only, but its header holds ';'; set data.separator: ';' in params.yaml",
    ),
    "latin-1": (
        b"size,sold\n1,Yes\n2,Entr\xe9e\n",
        "generate_data",
        "line 3 is not utf-8; save the file as CSV in UTF-8, or set data.encoding",
    ),
    "a row with more fields": (
        b"size,sold\n1,Yes\n2,No,3\n",
        "generate_data",
        "not a table (Expected 2 fields in line 3, saw 3); fix that line or set data.separator",
    ),
    "every row with more fields": (
        b"size,sold\n0,1,Yes\n1,2,No\n",
        "generate_data",
        "the first row has 3 fields, the header names 2 columns; fix either",
    ),
    "unclosed quote": (
        b'size,sold\n1,"Yes\n2,No\n',
        "generate_data",
        "not a table (EOF inside string starting at row 1)",
    ),
    "missing target column": (
        csv(sales().drop(columns="sold")),
        "prepare_data",
        "no column 'sold', which params.yaml names; the file has: 'size', 'town', 'age', 'price'",
    ),
    "rows without a target": (
        csv(with_values("sold", ["Yes", None, " ", None])),
        "prepare_data",
        "sold: no target in line 3 and 2 more: fill it in, or leave such rows out",
    ),
    "constant target": (
        csv(sales().assign(sold="Yes")),
        "prepare_data",
        "sold: the same target in every row: nothing to learn, choose another target",
    ),
    "no positive class": (
        csv(sales().replace({"sold": {"Yes": "Oui"}})),
        "prepare_data",
        "no row of 'sold' is 'Yes', which data.positive names; found: 'No', 'Oui'",
    ),
    "text in a column of numbers": (
        csv(with_values("age", [3, "old", 4, "young"])),
        "prepare_data",
        (
            "age: 'old' in line 3 and 1 more, in a column of numbers: "
            "fix it, or name the column in data.categorical or data.drop"
        ),
    ),
    "infinite value": (
        csv(with_values("price", [np.inf])),
        "prepare_data",
        "price: 'inf' in line 2, in a column of numbers: fix it",
    ),
    "column without a value": (
        csv(sales().assign(note=" ")),
        "prepare_data",
        "note: no value at all: name it in data.drop",
    ),
    "two faults at once": (
        csv(with_values("age", ["old"]).assign(note=None)),
        "prepare_data",
        (
            "age: 'old' in line 2, in a column of numbers: "
            "fix it, or name the column in data.categorical or data.drop; note: "
        ),
    ),
    "copy of the target": (
        csv(sales().assign(twin=sales()["sold"])),
        "prepare_data",
        (
            "the target is given away: twin alone repeats sold in 100.0% of the rows: "
            "name it in data.drop, or in prepare.allow_"
        ),
    ),
    "perfect predictor": (
        csv(sales().assign(fee=(sales()["sold"] == "Yes") * 9.5)),
        "prepare_data",
        "the target is given away: fee alone repeats sold in 100.0% of the rows",
    ),
    "a class of one row": (
        csv(with_values("sold", ["Maybe"])),
        "prepare_data",
        "class 'Maybe' of 'sold' has 1 row",
    ),
    "a class with fewer rows than folds": (
        csv(with_values("sold", ["Maybe", "Maybe"])),
        "train",
        "class 'Maybe' of 'sold' has",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_file_is_refused_in_one_line_with_status_1(here, refused, case):
    held, name, message = FILES[case]
    (here / "sold.csv").write_bytes(held)
    for stage in STAGES[: SCRIPTS.index(name)]:
        stage("sold", params.load())
    status, line = refused(name, "--dataset", "sold")
    file = "sold.csv" if name == "generate_data" else "data/sold_data.csv"
    assert status == 1 and line.startswith(f"{name}.py: error: {file}: {message}"), line


def test_columns_that_params_name_and_the_file_lacks_are_named_together(here, refused):
    edit(here, 'positive: "Yes"}', 'positive: "Yes", drop: [id, zip], numeric: [rooms]}')
    status, line = refused("prepare_data", "--dataset", "sold")
    assert (
        status == 1
        and "data/sold_data.csv: no column 'id', 'zip', 'rooms', which params.yaml names" in line
    )


@pytest.mark.parametrize(
    "source, message",
    [
        (
            "none.csv",
            (
                "none.csv: no such file; "
                "a source is synthetic, sklearn, openml:NAME, a URL or "
                "the path of a file"
            ),
        ),
        ("broken.parquet", "broken.parquet: not a whole Parquet file ("),
        (
            "http://127.0.0.1:9/sold.csv",
            "http://127.0.0.1:9/sold.csv: cannot be fetched (<urlopen error ",
        ),
    ],
)
def test_source_that_cannot_be_read_is_refused_with_status_1(
    here, refused, monkeypatch, source, message
):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (here / "broken.parquet").write_bytes(b"PAR1")
    status, line = refused("generate_data", "--dataset", "sold", "--source", source)
    assert (status, message in line) == (1, True), line
