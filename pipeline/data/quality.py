"""Tables: read them from files, check and clean them, describe their quality, and write and read the splits."""

import pandas as pd

from pipeline.data import cleaning, targets
from pipeline.project import rounding
from pipeline.project.params import Data

QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
LISTED_CATEGORIES = 100  # of a column in the statistics, the commonest first
IQR_FENCE = (
    1.5  # Tukey's fences: values beyond 1.5 interquartile ranges from the quartiles are outliers
)


def quality_figures(
    raw: pd.DataFrame, cleaned: pd.DataFrame, data: Data, other: str | None = None
) -> dict:
    """Return the table's quality figures: missing values, duplicates, outliers, constant columns, class balance or target."""
    features = cleaned[cleaning.feature_columns(cleaned, data, other)]
    numbers = features.select_dtypes("number")
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    fence = IQR_FENCE * (high - low)
    outliers = ((numbers < low - fence) | (numbers > high + fence)).sum()
    missing = cleaned.isna().sum()
    target = cleaned[data.target]
    figures = {
        "rows": len(cleaned),
        "columns": raw.shape[1],
        "features": features.shape[1],
        "numeric": list(numbers.columns),
        "categorical": [column for column in features if column not in numbers],
        "dropped": [column for column in raw.columns if column not in cleaned.columns],
        "missing": {column: int(count) for column, count in missing.items() if count},
        "missing_share": round(float(cleaned.isna().to_numpy().mean()), 6),
        "duplicates": int(cleaned.duplicated().sum()),
        "outliers": {column: int(count) for column, count in outliers.items() if count},
        "constant": [column for column in features if features[column].nunique(dropna=False) <= 1],
    }
    if data.task == "classification":
        counts = target.value_counts()
        figures["class_counts"] = {
            label: int(counts[label]) for label in targets.class_labels(target, data.positive)
        }
    else:
        summary = {
            "mean": target.mean(),
            "std": target.std(),
            "min": target.min(),
            "max": target.max(),
        }
        figures["target"] = {name: rounding.significant(value) for name, value in summary.items()}
    return figures


def statistics(X: pd.DataFrame) -> dict:
    """Return, per feature, what monitoring compares with: mean, deviation and quantiles, or the categories' shares."""
    features = {}
    for column in X:
        values = X[column]
        figures = {"missing_share": rounding.significant(values.isna().mean())}
        if pd.api.types.is_numeric_dtype(values):
            figures |= {
                "mean": rounding.significant(values.mean()),
                "std": rounding.significant(values.std()),
                "quantiles": {
                    f"{share:g}": rounding.significant(value)
                    for share, value in values.quantile(QUANTILES).items()
                },
            }
        else:
            shares = values.value_counts(normalize=True)
            common = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[
                :LISTED_CATEGORIES
            ]
            figures["categories"] = {label: rounding.significant(share) for label, share in common}
        features[column] = figures
    return {"schema": 1, "rows": len(X), "features": features}
