"""The built-in datasets: their layout, their repeatability, and the facts that the rest of the
pipeline counts on.
"""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from pipeline.builtin import churn, fraud, house_prices, housing, iris

SYNTHETIC = [housing, fraud, churn, house_prices]


def name(module):
    return module.__name__.rpartition(".")[2]


@pytest.fixture(scope="module")
def tables():
    return {module: module.generate(module.ROWS, 42) for module in [*SYNTHETIC, iris]}


@pytest.mark.parametrize(
    "module, shape, first, last",
    [
        (housing, (20_640, 12), "MedInc", "MedHouseVal"),
        (fraud, (10_000, 31), "Time", "Class"),
        (churn, (7_043, 21), "customerID", "Churn"),
        (house_prices, (1_460, 81), "Id", "SalePrice"),
        (iris, (150, 5), "sepal_length", "species"),
    ],
    ids=lambda value: name(value) if hasattr(value, "ROWS") else None,
)
def test_default_table_has_the_layout_of_its_model(tables, module, shape, first, last):
    table = tables[module]
    assert table.shape == shape
    assert (table.columns[0], table.columns[-1]) == (first, last)
    assert table.columns.is_unique


@pytest.mark.parametrize("module", SYNTHETIC, ids=name)
def test_a_seed_gives_one_table_and_another_seed_another(module):
    np.random.seed(0)  # the global state must not matter
    first = module.generate(500, 7)
    np.random.seed(1)
    pd.testing.assert_frame_equal(first, module.generate(500, 7))
    assert not first.equals(module.generate(500, 8))


@pytest.mark.parametrize("module", [housing, fraud, house_prices], ids=name)
def test_no_row_occurs_twice(tables, module):
    described = tables[module].drop(columns="Id", errors="ignore")
    assert not described.duplicated().any()


@pytest.mark.parametrize("n_rows", [500, 1_234, 10_000])
def test_class_shares_are_exact(n_rows):
    assert fraud.generate(n_rows, 1)["Class"].sum() == max(2, round(0.002 * n_rows))
    assert (churn.generate(n_rows, 1)["Churn"] == "Yes").sum() == round(0.378 * n_rows)


def test_housing_values_are_capped_and_in_california(tables):
    table = tables[housing]
    assert table["MedHouseVal"].max() == 5.00001
    assert 0.02 < (table["MedHouseVal"] > 5).mean() < 0.08
    assert (
        table["Latitude"].between(32.5, 42).all()
        and table["Longitude"].between(-124.4, -114.3).all()
    )
    assert table["OceanProximity"].value_counts(normalize=True).min() > 0.05
    assert table["AveOccup"].to_numpy() == pytest.approx(
        table["Population"] / table["Households"], abs=1e-4
    )


def test_trees_beat_lines_on_housing(tables):
    table = tables[housing].head(6_000).drop(columns="OceanProximity")
    X, y = table.drop(columns="MedHouseVal"), table["MedHouseVal"]
    scores = [
        model.fit(X[:4_500], y[:4_500]).score(X[4_500:], y[4_500:])
        for model in (
            LinearRegression(),
            HistGradientBoostingRegressor(max_iter=60, random_state=0),
        )
    ]
    assert scores[0] > 0.5
    assert scores[1] > scores[0] + 0.08


def test_fraud_components_shrink_and_rows_are_in_order_of_time(tables):
    table = tables[fraud]
    assert table["Time"].is_monotonic_increasing
    deviations = table.filter(regex="^V").std()
    assert deviations["V1"] > deviations["V9"] > deviations["V19"] > deviations["V28"]
    assert table["Amount"].min() >= 0 and table["Amount"].skew() > 3


def test_no_single_component_gives_the_frauds_away(tables):
    table = tables[fraud]
    caught = table["Class"] == 1
    share_below = (
        table.filter(regex="^V").rank(pct=True)[caught].mean()
    )  # nearly the area under each ROC curve
    assert share_below.between(0.02, 0.98).all()
    assert (share_below - 0.5).abs().max() > 0.3


def test_total_charges_are_blank_for_customers_without_a_month_and_only_for_them(tables):
    table = tables[churn]
    blank = table["TotalCharges"] == " "
    assert blank.any()
    assert (blank == (table["tenure"] == 0)).all()
    assert (
        table.loc[~blank, "TotalCharges"].astype(float) >= table.loc[~blank, "MonthlyCharges"]
    ).all()


def test_customer_ids_are_unique_and_of_one_form():
    ids = churn.generate(100_000, 3)["customerID"]
    assert ids.is_unique
    assert ids.str.fullmatch(r"\d{4}-[A-Z]{5}").all()


def test_services_need_the_line_that_carries_them(tables):
    table = tables[churn]
    offline = table["InternetService"] == "No"
    for service in churn.ADD_ONS:
        assert ((table[service] == "No internet service") == offline).all()
    assert ((table["MultipleLines"] == "No phone service") == (table["PhoneService"] == "No")).all()


def test_what_a_house_lacks_is_not_described(tables):
    table = tables[house_prices]
    for prefix, absent in {
        "Garage": table["GarageCars"] == 0,
        "Bsmt": table["TotalBsmtSF"] == 0,
        "FireplaceQu": table["Fireplaces"] == 0,
        "PoolQC": table["PoolArea"] == 0,
    }.items():
        described = [
            column
            for column in table.columns
            if column.startswith(prefix) and table[column].isna().any()
        ]
        assert described, prefix
        for column in described:
            assert (table[column].isna() == absent).all(), column
    missing = table.isna().mean()
    assert 0.10 < missing["LotFrontage"] < 0.25
    assert missing[["Alley", "Fence", "MiscFeature"]].min() > 0.75
    assert (
        0 < missing["Electrical"] < 0.01
        and 0 < missing["MasVnrType"] == missing["MasVnrArea"] < 0.01
    )
    assert (missing > 0).sum() == 19


def test_house_areas_and_years_agree(tables):
    table = tables[house_prices]
    assert (
        table["GrLivArea"] == table["1stFlrSF"] + table["2ndFlrSF"] + table["LowQualFinSF"]
    ).all()
    assert (
        table["TotalBsmtSF"] == table["BsmtFinSF1"] + table["BsmtFinSF2"] + table["BsmtUnfSF"]
    ).all()
    assert (table["YearBuilt"] <= table["YrSold"]).all() and (
        table["YearRemodAdd"] <= table["YrSold"]
    ).all()


def test_house_prices_are_skewed_and_in_hundreds(tables):
    price = tables[house_prices]["SalePrice"]
    assert (price % 100 == 0).all()
    assert 165_000 < price.mean() < 195_000 and 65_000 < price.std() < 95_000 and price.skew() > 1


@pytest.mark.parametrize("module", SYNTHETIC, ids=name)
def test_large_tables_need_few_times_their_own_memory(module):
    module.generate(100, 1)  # what a first call loads does not count
    tracemalloc.start()
    table = module.generate(100_000, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = table.memory_usage(deep=True).sum()
    assert size < 100_000 * 8 * table.shape[1]
    assert peak < 4 * size


def test_iris_is_the_real_table_and_has_one_size(tables):
    assert tables[iris].iloc[0].tolist() == [5.1, 3.5, 1.4, 0.2, "setosa"]
    assert tables[iris]["species"].value_counts().to_dict() == {
        "setosa": 50,
        "versicolor": 50,
        "virginica": 50,
    }
    assert iris.generate(None, 0).equals(iris.generate(150, 1))
    with pytest.raises(ValueError, match="real, fixed table"):
        iris.generate(151, 0)
