"""Doubts: each column that may be read otherwise than it was meant is named, and no other."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import cleaning, doubts
from pipeline.project.settings.data import Prepare
from support.houses import data

ROWS = 200
RNG = np.random.default_rng(0)
NUMBERS = [f"{number:,.2f}" for number in RNG.uniform(1000, 90_000, ROWS)]
DAYS = pd.date_range("2023-01-30", periods=ROWS)


def doubt_of(values, **settings):
    """Return what prepare doubts in a table with one feature of these values."""
    spec = data(target="y", task="regression", **settings)
    raw = pd.DataFrame({"x": values, "y": np.arange(ROWS) / 7})
    found = doubts.find(raw, cleaning.clean(raw, spec), spec)
    return found[0] if found else None


@pytest.mark.parametrize(
    "values",
    [
        NUMBERS,
        [text.replace(",", " ").replace(".", ",") for text in NUMBERS],
        [text.replace(",", ".")[::-1].replace(".", ",", 1)[::-1] for text in NUMBERS],
        [f"0,{place:03}" for place in range(ROWS)],
        [f"${place}.23" for place in range(ROWS)],
        [f"{place} €" for place in range(ROWS)],
        [f"{place % 30}%" for place in range(ROWS)],
        [f"({place}.50)" for place in range(ROWS)],
        [f"{place} kg" for place in range(ROWS)],
    ],
)
def test_numbers_in_other_spellings_are_doubtful(values):
    found = doubt_of(values)
    assert found.what.startswith("numbers in another spelling, such as")
    assert "set data.decimal and data.thousands" in found.do
    assert doubt_of(values, categorical=["x"]) is None


def test_numbers_among_words_are_doubtful():
    values = [str(place / 8) if place % 5 else "unknown" for place in range(ROWS)]
    found = doubt_of(values)
    assert found.what == "80% numbers, the rest such as 'unknown', taken as categories"
    assert "in data.missing" in found.do


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d.%m.%y", "%b %d, %Y", "%d-%b-%Y"])
def test_dates_in_another_format_are_doubtful_and_the_format_is_named(form):
    values = list(DAYS.strftime(form))
    found = doubt_of(values)
    assert found.what == f"dates, taken as categories: {form}: 200"
    assert f'set data.dates: {{x: "{form}"}}; set prepare.split: time:<column>' in found.do
    assert doubt_of(values, dates={"x": [form]}) is None
    assert doubt_of(values, categorical=["x"]) is None


def test_each_format_of_a_column_of_dates_is_counted():
    values = [day.strftime("%d.%m.%Y" if n % 4 else "%b %d, %Y") for n, day in enumerate(DAYS)]
    found = doubt_of(values)
    assert found.what == "dates, taken as categories: %d.%m.%Y: 150, %b %d, %Y: 50"
    assert 'data.dates: {x: ["%d.%m.%Y", "%b %d, %Y"]}' in found.do
    # the first twelve days of a month are days of either format
    early = [day.strftime("%d/%m/%Y") for day in DAYS if day.day <= 12][:50] * 4
    found = doubt_of(early)
    assert found.what == "dates, taken as categories: %m/%d/%Y or %d/%m/%Y: 200"
    assert "the formats that are meant" in found.do


def test_what_is_read_as_dates_and_texts_is_not_doubtful():
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"):
        assert doubt_of(list(DAYS.strftime(form))) is None
    assert doubt_of([f"the {day:%A} of week {n} in {day:%B}" for n, day in enumerate(DAYS)]) is None


def test_dates_written_as_numbers_are_doubtful():
    found = doubt_of(DAYS.strftime("%Y%m%d").astype("int64"))
    assert found.what == "dates, such as 20230130, taken as numbers"
    assert 'data.dates: {x: "%Y%m%d"}' in found.do


def test_texts_of_many_values_are_doubtful():
    long = [f"the {place % 20}th customer asked for a new contract" for place in range(ROWS)]
    assert doubt_of(long).what == "long text, 20 different ones, taken as categories"
    names = [f"name {'abcdefghij'[place % 10]}{place // 10 % 15}" for place in range(ROWS)]
    assert doubt_of(names).what == "150 categories in 200 rows"
    every = [f"name {'abcdefghij'[place % 10]}{place}" for place in range(ROWS)]
    assert doubt_of(every).what == "a text that differs in every row"


def test_whole_numbers_that_all_differ_are_doubtful():
    keys = RNG.permutation(10_000)[:ROWS]
    assert doubt_of(keys).what.startswith("a whole number that differs in every row")
    assert doubt_of(keys, numeric=["x"]) is None
    assert doubt_of(keys // 50) is None


@pytest.mark.parametrize("labels", [["Yes", "yes"], ["New York", "new  york"], ["é", "e\u0301"]])
def test_labels_that_are_alike_are_doubtful_also_where_the_kind_is_said(labels):
    for settings in ({}, {"categorical": ["x"]}):
        found = doubt_of(labels * (ROWS // 2), **settings)
        assert "differ in case or blanks only" in found.what


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=ROWS),
        RNG.integers(0, 100, ROWS),
        RNG.choice(["red", "green", "blue"], ROWS),
        RNG.choice(["1", "2", "3", "other"], ROWS),
        RNG.choice(["18-25", "26-40", "41+"], ROWS),
        [f"A{place % 40}" for place in range(ROWS)],
        [True, False] * (ROWS // 2),
    ],
)
def test_ordinary_columns_are_not_doubtful(values):
    assert doubt_of(values) is None


def test_columns_that_share_a_remedy_stand_in_one_line():
    found = [doubts.Doubt("a", "x", "do it"), doubts.Doubt("b", "y", "do it")]
    found.append(doubts.Doubt("c", "z", "leave it"))
    assert doubts.lines(found) == ["a (x), b (y): do it", "c (z): leave it"]
    assert doubts.in_figures({"doubts": [doubt.as_json() for doubt in found]}) == found


def test_the_column_of_the_split_is_not_doubtful():
    raw = pd.DataFrame({"day": DAYS.strftime("%d/%m/%Y"), "x": RNG.random(ROWS)})
    raw["y"] = np.arange(ROWS) / 7
    spec = data(target="y", task="regression")
    cleaned = cleaning.clean(raw, spec, Prepare(test_size=0.2, split="group:day"))
    assert [doubt.column for doubt in doubts.find(raw, cleaned, spec)] == ["day"]
    assert doubts.find(raw, cleaned, spec, "day") == []
