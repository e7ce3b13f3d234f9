"""Dates become days and parts of the calendar; those that never vary in training are left out."""

import numpy as np
import pandas as pd

from pipeline.models.encoders.dates import DateEncoder, microseconds

DAYS = ["2024-12-31T10:30:00Z", None, "1969-02-28", "2000-02-29T23:59:59.5Z"]


def moments(**columns) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.apply(pd.to_datetime, format="ISO8601", utc=True).astype("datetime64[us, UTC]")


def encoded(encoder: DateEncoder, X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(encoder.transform(X), columns=encoder.get_feature_names_out())


def test_parts_are_those_of_pandas():
    X = moments(a=DAYS)
    found, dates = encoded(DateEncoder().fit(X), X), X["a"].dt
    for part in ("year", "month"):
        np.testing.assert_array_equal(found[f"a: {part}"], getattr(dates, part))
    np.testing.assert_array_equal(found["a: day of week"], dates.dayofweek)
    np.testing.assert_array_equal(found["a: day of year"], dates.dayofyear)
    seconds = dates.hour * 3600 + dates.minute * 60 + dates.second + dates.microsecond / 1e6
    np.testing.assert_allclose(found["a: hour"], seconds / 3600)
    days = (X["a"] - X["a"].min()) / pd.Timedelta(days=1)
    np.testing.assert_allclose(found["a: days"], days)


def test_parts_that_never_vary_are_left_out_and_waves_are_for_linear_models():
    X = moments(day=["2024-01-01", "2024-01-15", "2024-01-29"])
    names = list(DateEncoder().fit(X).get_feature_names_out())
    assert names == ["day: days", "day: day of year"]
    X = moments(day=["2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"])
    found = encoded(DateEncoder(cyclic=True).fit(X), X)
    # an hour before midnight is near midnight
    waves = found[["day: hour sine", "day: hour cosine"]].to_numpy()
    assert np.linalg.norm(waves[0] - waves[1]) < 0.3


def test_of_dates_that_order_the_rows_only_whole_seasons_are_taken():
    hours = pd.date_range("2023-01-01", periods=24 * 300, freq="h", tz="UTC").astype(
        "datetime64[us, UTC]"
    )
    X = pd.DataFrame({"when": hours, "born": hours[::-1]})
    encoder = DateEncoder(seasonal=["when"]).fit(X)
    of_when = [name for name in encoder.get_feature_names_out() if name.startswith("when")]
    # day of year and month have not come back: they say how much time has passed
    assert of_when == ["when: day of week", "when: hour"]
    assert "born less when: days" in encoder.get_feature_names_out()
    years = X.assign(when=pd.date_range("2020-01-01", periods=len(X), freq="6h", tz="UTC"))
    names = list(DateEncoder(True, ["when"]).fit(years).get_feature_names_out())
    assert {"when: month", "when: day of year sine"} <= set(names)
    assert not {"when: days", "when: year"} & set(names)
    one = X[["when"]].head(1)
    assert DateEncoder(seasonal=["when"]).fit(one).transform(one).shape == (1, 1)


def test_days_between_two_dates_are_of_both_columns():
    X = moments(
        sold=["2024-01-01", "2024-01-03"], shipped=["2024-01-05", None], n=["2024-01-01"] * 2
    )
    encoder = DateEncoder().fit(X)
    found = encoded(encoder, X)
    np.testing.assert_array_equal(found["shipped less sold: days"], [4, np.nan])
    place = list(found).index("shipped less sold: days")
    assert (encoder.owners()[place], encoder.second_owners()[place]) == ("shipped", "sold")
    assert len(encoder.owners()) == found.shape[1]


def test_a_row_alone_has_the_numbers_that_it_has_among_others():
    X = moments(a=DAYS, b=DAYS[::-1])
    encoder = DateEncoder(cyclic=True).fit(X)
    together = encoder.transform(X)
    for row in range(len(X)):
        alone = encoder.encoded(microseconds(X)[row : row + 1])
        np.testing.assert_array_equal(alone, together[row : row + 1])
