"""Numbers in any spelling are read as the numbers they are, and no other text is changed."""

import pandas as pd
import pytest

from pipeline.data import reading
from pipeline.data.formats import spellings
from pipeline.data.formats.form import Format
from pipeline.project.errors import DataError


def read(tmp_path, lines: list[str], form: Format) -> list:
    """Return the one column of a file, read whole, and check that its parts read alike."""
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["x|y", *[f"{line}|0" for line in lines]]), encoding="utf-8")
    whole = reading.read(path, form)["x"]
    parts = [part.column("x").to_pylist()[0] for part in reading.parts(path, 1, form)]
    kinds = pd.Series(parts) if whole.dtype.kind not in "if" else pd.to_numeric(pd.Series(parts))
    assert whole.fillna("").tolist() == kinds.fillna("").tolist()
    return whole.tolist()


@pytest.mark.parametrize(
    "lines, decimal, thousands, numbers",
    [
        (["1,5", "-0,25", ",5", "3", "1,5e3"], ",", None, [1.5, -0.25, 0.5, 3, 1500]),
        (["1.234,5", "1.234.567", "12", "−1.000"], ",", ".", [1234.5, 1234567, 12, -1000]),
        (["1,234.5", "1,234,567", "12"], ".", ",", [1234.5, 1234567, 12]),
        (["1 234,5", "1\u202f234", "1\u00a0234 567"], ",", " ", [1234.5, 1234, 1234567]),
        (["1'234.5", "12"], ".", "'", [1234.5, 12]),
        (["1.234", "12.000"], ",", ".", [1234, 12000]),
    ],
)
def test_numbers_are_read_by_their_marks(tmp_path, lines, decimal, thousands, numbers):
    form = Format("|", decimal=decimal, thousands=thousands)
    assert read(tmp_path, lines, form) == numbers


@pytest.mark.parametrize("text", ["1,23", "12,34,567", "0,123", "1234,567", "a 1,234", "1,2345"])
def test_what_is_no_number_of_the_spelling_stays_text(tmp_path, text):
    assert read(tmp_path, [text, "1,234"], Format("|", thousands=",")) == [text, "1234"]


def test_codes_are_not_respelled(tmp_path):
    form = Format("|", thousands=",", codes=("x",))
    assert read(tmp_path, ["1,234", "5,678"], form) == ["1,234", "5,678"]


def test_a_dot_among_decimal_commas_is_refused_and_not_guessed(tmp_path):
    with pytest.raises(DataError, match="mine.csv: column 'x': '1.234' has a dot, and data.decima"):
        read(tmp_path, ["1,5", "1.234"], Format("|", decimal=","))
    assert read(tmp_path, ["1.2.2024", "3,5 kg"], Format("|", decimal=",")) == [
        "1.2.2024",
        "3,5 kg",
    ]


def test_words_for_missing_are_missing_in_every_column(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("x,y,z\n1,unknown,-999\nunknown, n/k ,5\n")
    frame = reading.read(path, Format(missing=("unknown", "n/k", "-999")))
    assert frame.isna().to_numpy().tolist() == [[False, True, True], [True, True, False]]
    assert frame["x"].tolist()[0] == 1 and frame["z"].tolist()[1] == 5
    frame.to_parquet(tmp_path / "mine.parquet")
    assert reading.read(tmp_path / "mine.parquet", Format(missing=("5",)))["z"].isna().all()


@pytest.mark.parametrize(
    "texts, sign, numbers",
    [
        (["$1,044.23", "$5", "-$3", "$-2", "($7.50)"], "$", [1044.23, 5, -3, -2, -7.5]),
        (["12%", " 7.5 %", "-1%"], "%", [12, 7.5, -1]),
        (["1,044 €", "5€"], "€", [1044, 5]),
        (["USD 5", "USD 1,000"], "USD", [5, 1000]),
    ],
)
def test_a_sign_that_every_value_carries_is_left_out(texts, sign, numbers):
    frame = pd.DataFrame({"x": [*texts, None], "y": range(len(texts) + 1)})
    form = spellings.with_columns_of(frame, Format())
    assert form.signs == {"x": sign}
    assert reading.respelled(frame, form, "mine.csv")["x"].tolist()[:-1] == numbers


@pytest.mark.parametrize(
    "texts",
    [
        ["$5", "6"],
        ["$5", "€6"],
        ["$5", "free"],
        ["0,5 €", "1 €"],
        ["5 kg", "6 kg"],
        ["$", "$5"],
        ["(5", "$6"],
    ],
)
def test_where_one_value_has_no_sign_or_another_none_is_left_out(texts):
    frame = pd.DataFrame({"x": texts})
    assert spellings.with_columns_of(frame, Format()).signs == {}


def test_a_sign_counts_beside_words_for_missing_and_with_decimal_commas():
    frame = pd.DataFrame({"x": ["1.044,50 €", "?", "2 €"], "y": ["$1", "$2", "$3"]})
    form = spellings.with_columns_of(frame, Format(decimal=",", missing=("?",), codes=("y",)))
    assert form.signs == {"x": "€"}
    assert reading.respelled(frame, form, "a")["x"].fillna(0).tolist() == [1044.5, 0, 2]


def test_words_for_true_and_false_are_one_category_each_where_a_column_has_no_others():
    frame = pd.DataFrame({"x": ["ja", "yes", "n", None], "y": ["n", "s", "e", "w"]})
    said = Format(true_words=("yes", "ja"), false_words=("no", "n"))
    form = spellings.with_columns_of(frame, said)
    assert form.truths == ("x",)
    plain = reading.respelled(frame, form, "a")
    assert plain["x"].fillna("").tolist() == ["True", "True", "False", ""]
    assert plain["y"].tolist() == ["n", "s", "e", "w"]
