"""A function of the user's own makes features row by row; what does more is refused by name."""

import numpy as np
import pandas as pd
import pytest

from pipeline.own import features, loading
from pipeline.own.features import Checked, OwnCodeFault
from pipeline.project.errors import DataError

HEAD = "import numpy as np\nimport pandas as pd\n\ndef features(frame):\n"


def inputs(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    size = pd.Series(rng.normal(100, 20, rows)).mask(np.arange(rows) % 17 == 0)
    town = pd.Series(rng.choice(["Aville", "Bford", "Cham"], rows), dtype="str")
    return pd.DataFrame({"size": size, "town": town, "age": rng.integers(0, 60, rows) * 1.0})


def found(body: str) -> loading.OwnObject:
    code = loading.run((HEAD + body).encode(), "features/tiny.py", "datasets.tiny.data.features")
    return loading.OwnObject(code.get("features", ""), "features", code)


def checked(frame: pd.DataFrame) -> Checked:
    target = pd.Series(np.arange(len(frame)) * 1.0, index=frame.index, name="price")
    return Checked(frame, target, lambda rows: f"line {rows[0] + 2}")


def refused(body: str) -> str:
    function, frame = found(body), inputs()
    with pytest.raises(OwnCodeFault) as raised:
        made = features.apply(function, frame)
        features.check(function, checked(frame), made, seed=0)
    said = str(raised.value)
    assert said.startswith("features/tiny.py") and "\n" not in said
    assert isinstance(raised.value, DataError)
    return said


def test_function_adds_replaces_and_leaves_out_columns_and_the_frame_stays(monkeypatch):
    monkeypatch.setattr(features, "ROWS_AT_A_TIME", 64)
    body = (
        "    frame['log'] = np.log(frame['size'])\n"
        "    frame['town'] = frame['town'].str.upper()\n"
        "    frame['old'] = frame['age'] > 30\n"
        "    return frame.drop(columns='age')\n"
    )
    frame, steps = inputs(), []
    before = frame.copy()
    function = found(body)
    made = features.apply(function, frame, steps.append)
    pd.testing.assert_frame_equal(frame, before)
    assert list(made) == ["size", "town", "log", "old"] and made.index.equals(frame.index)
    assert steps == [64, 64, 64, 8]
    features.check(function, checked(frame), made, seed=0)
    empty = features.apply(function, frame.iloc[:0])
    assert list(empty) == list(made) and not len(empty)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    return frame['nope']\n", "line 5 raises KeyError: 'nope'"),
        ("    raise SystemExit(3)\n", "line 5 raises SystemExit: 3"),
        (
            "    frame['x'] = frame['price']\n    return frame\n",
            "'town', 'age', and never the target",
        ),
        ("    return frame.dropna()\n", "returns 188 of 200 rows"),
        ("    frame['x'] = 1\n", "returns nothing; return a pandas DataFrame"),
        ("    return frame['size']\n", "returns a Series; return a pandas DataFrame"),
        ("    return frame.sort_values('age')\n", "in another order or with another index"),
        ("    return frame.set_index('age')\n", "in another order or with another index"),
        (
            "    return frame.rename(columns={'age': 'price'})\n",
            "column 'price', the name of the tar",
        ),
        ("    return frame[[]]\n", "returns no column"),
        ("    frame[3] = 1\n    return frame\n", "returns columns named '3'"),
        ("    return pd.concat([frame, frame], axis=1)\n", "columns named 'size', 'town', 'age'"),
        ("    frame['x'] = np.nan\n    return frame\n", "'x' has no value in any training row"),
        ("    frame['x'] = 1e39\n    return frame\n", "'x' holds numbers beyond 3.4e+38"),
    ],
)
def test_function_that_gives_no_table_of_the_same_rows_is_refused(body, message):
    assert message in refused(body)


@pytest.mark.parametrize(
    ("expression", "meaning"),
    [
        ("frame['age'] - frame['age'].mean()", "it looks at other rows"),
        ("frame['age'].shift(1)", "it looks at other rows"),
        ("frame.groupby('town')['age'].transform('max')", "it looks at other rows"),
        ("frame['age'].rank()", "it looks at other rows"),
        ("pd.qcut(frame['age'], 3, labels=False, duplicates='drop')", "it looks at other rows"),
        ("np.arange(len(frame))", "it looks at other rows"),
        ("len(frame)", "it looks at other rows"),
        ("np.random.rand(len(frame))", "it must not depend on chance"),
        ("frame['price'] if 'price' in frame else 0.0", "it looks at the target"),
        ("frame.sum(axis=1, numeric_only=True)", "it looks at the target"),
    ],
)
def test_function_that_looks_beyond_its_row_is_refused_with_a_row_that_shows_it(
    expression, meaning
):
    said = refused(f"    frame['x'] = {expression}\n    return frame\n")
    assert meaning in said
    assert "'x' of line " in said or "raises" in said


def test_columns_that_depend_on_the_rows_are_refused():
    assert "'town_Aville' of line" in refused("    return pd.get_dummies(frame)\n")


def test_whole_numbers_and_missing_values_of_a_single_row_are_no_difference():
    body = (
        "    frame['n'] = frame['size'].fillna(0).astype(int)\n"
        "    frame['o'] = frame['size'].map(lambda v: None if v != v else int(v))\n"
        "    frame['c'] = frame['town'].astype('category')\n"
        "    frame['i'] = frame['size'].round().astype('Int64')\n"
        "    return frame\n"
    )
    function, frame = found(body), inputs()
    features.check(function, checked(frame), features.apply(function, frame), seed=0)
