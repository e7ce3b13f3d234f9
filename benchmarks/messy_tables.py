"""What is lost where real tables come with dates in three formats, a text, or ids of many levels.

    python -m benchmarks.messy_tables                     # the tables that lie in data/raw/
    python -m benchmarks.messy_tables --rows 2000

Some columns of a real table are replaced by one that says the same in a messy way: dates, a text
and codes (`levels`) are made up from the values, which are real; `ids` of 5,000 levels say nothing.
Three readings are compared on the same folds, by ROC AUC or RMSE:

    before   dates and texts as categories, of categories the commonest levels alone
    now      as prepare and train read them, the formats named in data.dates
    by hand  the columns that were replaced, without the ids

A row says how far `now` is from `by hand`, in standard errors over the folds.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import pipeline.project.processor  # noqa: F401 - before numpy

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from benchmarks.real_tables import ADULT, HOUSE_PRICES, TELCO, real_table
from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, TEXT
from pipeline.models import fitting, preprocessing
from pipeline.models.catalogue import FAMILIES
from pipeline.models.fitting import Prepared
from pipeline.models.spec import ModelSpec

FORMATS = ["%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d"]
FOLDS, SEED = 4, 0
# of an id that says nothing
LEVELS = 5000
LINEAR = {"regression": "ridge", "classification": "logistic_regression"}
# of the models that are fitted beside the linear one
QUICK = {"lightgbm": {"n_estimators": 80}, "random_forest": {"n_estimators": 60, "n_jobs": 1}}


@dataclass(frozen=True)
class Messy:
    """A table with some columns replaced by a messy one; `kind` is how that is read now."""

    name: str
    by_hand: pd.DataFrame
    messy: pd.DataFrame
    kind: str
    y: np.ndarray
    classes: list[str] | None


def in_three_formats(moments: pd.Series) -> pd.Series:
    """Return dates spelt in one of three formats each, a third of the rows in each."""
    which = np.arange(len(moments)) % len(FORMATS)
    spelt = [moment.strftime(FORMATS[place]) for moment, place in zip(moments, which)]
    return pd.Series(spelt, index=moments.index, dtype="str")


def sentences(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Return a text for each row that says the values of some columns among other words."""
    rng = np.random.default_rng(SEED)
    openings = np.array(["on file", "as noted", "seen by us", "it says here", "known to be"])
    parts = [pd.Series(rng.choice(openings, len(frame)), index=frame.index)]
    for column in columns:
        parts.append(column.lower() + " " + frame[column].astype(str).str.replace("-", " "))
    parts.append(
        "number " + pd.Series(rng.integers(0, 9999, len(frame)), index=frame.index).astype(str)
    )
    text = parts[0]
    for part in parts[1:]:
        text = text + ", " + part
    return text.astype("str")


def combined(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Return one id for each combination of the values of some columns."""
    codes = frame.groupby(columns, dropna=False, sort=True).ngroup()
    return ("code-" + codes.astype(str)).astype("str")


def with_ids(name: str, X: pd.DataFrame, y: np.ndarray, classes: list[str] | None) -> Messy:
    """Return a table with an id of 5,000 levels that says nothing; by hand it is dropped."""
    ids = np.random.default_rng(SEED).integers(0, LEVELS, len(X))
    messy = X.assign(id=pd.Series(ids, index=X.index).map("id-{:04}".format).astype("str"))
    return Messy(f"{name}, ids", X, messy, CATEGORY, y, classes)


def adult(table: pd.DataFrame) -> list[Messy]:
    """Return Adult with birth days, a text of four columns, codes for two, and with ids."""
    table = table.rename(columns=str.strip)
    X, target = table.drop(columns="income"), table["income"].astype(str)
    classes = sorted(target.unique())
    y = (target == classes[1]).to_numpy().astype(int)
    rng = np.random.default_rng(SEED)
    days = pd.to_timedelta(X["age"] * 365.25 + rng.integers(0, 365, len(X)), unit="D")
    born = pd.Timestamp("1995-06-30") - days.dt.floor("D")
    told = ["education", "occupation", "marital-status", "relationship"]
    crossed = ["native-country", "occupation"]
    return [
        Messy(
            "Adult, dates",
            X,
            X.drop(columns="age").assign(born=in_three_formats(born)),
            DATE,
            y,
            classes,
        ),
        Messy(
            "Adult, text",
            X,
            X.drop(columns=told).assign(note=sentences(X, told)),
            TEXT,
            y,
            classes,
        ),
        Messy(
            "Adult, levels",
            X,
            X.drop(columns=crossed).assign(code=combined(X, crossed)),
            CATEGORY,
            y,
            classes,
        ),
        with_ids("Adult", X, y, classes),
    ]


def house_prices(table: pd.DataFrame) -> list[Messy]:
    """Return House Prices with two dates, a text of five columns, codes for two, and with ids."""
    X, y = table.drop(columns=["SalePrice", "Id"]), np.log(table["SalePrice"].to_numpy())
    whole = X.assign(AgeAtSale=X["YrSold"] - X["YearBuilt"])
    sold = pd.to_datetime(
        {"year": X["YrSold"].astype(int), "month": X["MoSold"].astype(int), "day": 1}
    )
    built = pd.to_datetime({"year": X["YearBuilt"].astype(int), "month": 7, "day": 1})
    dated = X.drop(columns=["YrSold", "MoSold", "YearBuilt"])
    told = ["Neighborhood", "HouseStyle", "KitchenQual", "ExterQual", "BsmtQual"]
    crossed = ["Neighborhood", "HouseStyle"]
    return [
        Messy(
            "House Prices, dates",
            whole,
            dated.assign(sold=in_three_formats(sold), built=in_three_formats(built)),
            DATE,
            y,
            None,
        ),
        Messy(
            "House Prices, text",
            X,
            X.drop(columns=told).assign(note=sentences(X, told)),
            TEXT,
            y,
            None,
        ),
        Messy(
            "House Prices, levels",
            X,
            X.drop(columns=crossed).assign(code=combined(X, crossed)),
            CATEGORY,
            y,
            None,
        ),
        with_ids("House Prices", X, y, None),
    ]


def telco(table: pd.DataFrame) -> list[Messy]:
    """Return Telco with the day of the contract, a text of four columns, and with ids."""
    X, target = table.drop(columns=["Churn", "customerID"]), table["Churn"].astype(str)
    classes = sorted(target.unique())
    y = (target == classes[1]).to_numpy().astype(int)
    rng = np.random.default_rng(SEED)
    days = pd.to_timedelta((X["tenure"] * 30.4 + rng.integers(0, 30, len(X))).round(), unit="D")
    since = pd.Timestamp("2019-01-31") - days
    told = ["Contract", "PaymentMethod", "InternetService", "OnlineSecurity"]
    return [
        Messy(
            "Telco, dates",
            X,
            X.drop(columns="tenure").assign(since=in_three_formats(since)),
            DATE,
            y,
            classes,
        ),
        Messy(
            "Telco, text",
            X,
            X.drop(columns=told).assign(note=sentences(X, told)),
            TEXT,
            y,
            classes,
        ),
        with_ids("Telco", X, y, classes),
    ]


TABLES: dict[str, tuple] = {
    "adult": (ADULT, adult),
    "house_prices": (HOUSE_PRICES, house_prices),
    "telco": (TELCO, telco),
}


def read_now(one: Messy) -> pd.DataFrame:
    """Return the messy table as it is typed now."""
    X = one.messy.copy()
    for name in X.columns.difference(one.by_hand.columns):
        found = kinds.typed_as(X[name], one.kind, FORMATS if one.kind == DATE else ())
        assert not len(found.unreadable), f"{one.name}: {name}"
        X[name] = found.values
    return X


def prepared_before(spec: ModelSpec, X: pd.DataFrame, y: np.ndarray) -> Prepared:
    """Return rows as an estimator took them before: of each category its commonest levels."""
    encoder = preprocessing.unfitted_preprocessing(spec.features, FAMILIES[spec.name].encoding)
    Z = encoder.fit_transform(X)
    return Prepared(encoder, Z, y, preprocessing.code_places(encoder))


def prepared_now(spec: ModelSpec, X: pd.DataFrame, y: np.ndarray) -> Prepared:
    """Return rows as an estimator takes them now."""
    return fitting.prepare(spec, X, y, SEED)


Prepare = Callable[[ModelSpec, pd.DataFrame, np.ndarray], Prepared]


def scores(name: str, X: pd.DataFrame, one: Messy, prepare: Prepare) -> np.ndarray:
    """Return a model's ROC AUC, or its RMSE, on each fold."""
    features = kinds.kinds_of(X)
    task = "classification" if one.classes else "regression"
    spec = ModelSpec(name, task, features, features, "y", "none", one.classes, None)
    found = []
    for fit, predict in KFold(FOLDS, shuffle=True, random_state=SEED).split(X):
        rows = prepare(spec, X.iloc[fit], one.y[fit])
        model = fitting.fit_prepared(spec, QUICK.get(name, {}), rows, one.y[fit], SEED)
        output = model.output(X.iloc[predict])
        if one.classes:
            found.append(roc_auc_score(one.y[predict], output[:, 1]))
        else:
            found.append(float(np.sqrt(np.mean((output - one.y[predict]) ** 2))))
    return np.array(found)


def report(one: Messy) -> None:
    """Print a line for each model: its score by each reading."""
    task = "classification" if one.classes else "regression"
    now = read_now(one)
    for name in (LINEAR[task], *QUICK):
        before = scores(name, one.messy, one, prepared_before)
        found = scores(name, now, one, prepared_now)
        by_hand = scores(name, one.by_hand, one, prepared_now)
        difference = found - by_hand
        error = by_hand.std(ddof=1) / np.sqrt(FOLDS)
        print(
            f"| {one.name} | {name} | {before.mean():.4f} | {found.mean():.4f} | "
            f"{by_hand.mean():.4f} | {difference.mean() / error:+.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4000, help="rows of each table at most")
    args = parser.parse_args()
    print("| table | model | before | now | by hand | now less by hand, in standard errors |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (path, variants) in TABLES.items():
        table = real_table(path)
        if table is None:
            print(f"{name}: {path} is not there")
            continue
        rows = table.sample(min(args.rows, len(table)), random_state=SEED).reset_index(drop=True)
        for one in variants(rows):
            report(one)


if __name__ == "__main__":
    main()
