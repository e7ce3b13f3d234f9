"""Figures of a table: its origin, its quality and its statistics."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.data import cleaning, kinds, targets
from pipeline.data.formats.form import Format, form_of
from pipeline.data.kinds import CATEGORY, DATE, NUMBER, TEXT
from pipeline.project import errors, files, paths, rounding
from pipeline.project.settings.data import Data, Prepare

QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
# of quality.json, as params.yaml calls them
RARER_KINDS = {"dates": DATE, "text": TEXT}
# of a column in the statistics, the commonest first
LISTED_CATEGORIES = 100
# Tukey's fences: values beyond 1.5 interquartile ranges from the quartiles are outliers
IQR_FENCE = 1.5


@dataclass(frozen=True)
class Origin:
    """Where a dataset's table came from; `data_hash` is the md5 of its CSV file.

    `signs` names the columns whose every value carried a currency or per cent sign, which was left
    out, and `truths` those whose words became True and False.
    """

    dataset: str
    source: str
    synthetic: bool
    rows: int
    columns: int
    data_hash: str
    signs: dict[str, str] = field(default_factory=dict)
    truths: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Write metrics/datasets/<dataset>/generate.json."""
        content = {"schema": 1, **asdict(self)}
        for found in ("signs", "truths"):
            if not content[found]:
                del content[found]
        files.write_json(paths.metrics(self.dataset, "generate"), content)


def read_origin(dataset: str) -> Origin:
    """Return what generate.json says; raises DataError where it is not there."""
    content = files.read_json(
        paths.metrics(dataset, "generate"), made_by=f"python generate_data.py --dataset {dataset}"
    )
    content.pop("schema")
    return Origin(**content)


def form_of_file(dataset: str, data: Data, path: str | Path) -> Format:
    """Return how a file of a dataset's rows is written: as its source is, but for its own tables.

    Columns of signs and of true and false words are those that the dataset's table had.
    """
    own = (Path(data.file), paths.current_batch(dataset))
    if Path(path).resolve() in [table.resolve() for table in own]:
        return Format(codes=tuple(data.categorical))
    form = form_of(data)
    if not paths.metrics(dataset, "generate").is_file():
        return form
    origin = read_origin(dataset)
    return replace(form, signs=origin.signs, truths=tuple(origin.truths))


def quality_figures(
    raw: pd.DataFrame, cleaned: pd.DataFrame, data: Data, prepare: Prepare = cleaning.RANDOM
) -> dict[str, Any]:
    """Return the figures of a cleaned table, as quality.json holds them.

    They are missing values, duplicates, outliers, constant columns, class balance or target.
    """
    features = cleaned[cleaning.feature_columns(cleaned, data, prepare)]
    found = kinds.kinds_of(features)
    numbers = features[kinds.of_kind(found, NUMBER)]
    figures = {
        "rows": len(cleaned),
        "columns": raw.shape[1],
        "features": features.shape[1],
        "numeric": list(numbers.columns),
        "categorical": kinds.of_kind(found, CATEGORY),
        **_rarer_kinds(found),
        "dropped": [column for column in raw.columns if column not in cleaned.columns],
        "missing": _above_0(cleaned.isna().sum()),
        "missing_share": round(float(cleaned.isna().to_numpy().mean()), 6),
        "duplicates": int(cleaned.duplicated().sum()),
        "outliers": _above_0(_outliers(numbers)),
        "constant": [column for column in features if features[column].nunique(dropna=False) <= 1],
    }
    if data.weight is not None:
        figures["weight"] = data.weight
    if data.task == "classification":
        figures["class_counts"] = _class_counts(cleaned[data.target], data.positive)
    else:
        figures["target"] = _target_figures(cleaned[data.target])
    return figures


def reading_figures(origin: Origin, rows_without_target: int) -> dict[str, Any]:
    """Return what reading changed or left out, as quality.json holds it; nothing where it did not.

    `signs` are currency and per cent signs by column, `truths` columns of true and false words.
    """
    figures = {
        "signs": origin.signs,
        "truths": origin.truths,
        "rows_without_target": rows_without_target,
    }
    return {name: figure for name, figure in figures.items() if figure}


def reading_lines(figures: Mapping[str, Any]) -> list[str]:
    """Return in words what quality.json says that reading changed or left out."""
    lines = []
    if rows := figures.get("rows_without_target", 0):
        lines.append(f"{rows:,} {'row' if rows == 1 else 'rows'} without a target left out")
    if signs := figures.get("signs"):
        named = ", ".join(f"{column!r} ({sign})" for column, sign in signs.items())
        lines.append(f"read as numbers, without their sign: {named}")
    if truths := figures.get("truths"):
        lines.append(f"read as True and False: {errors.listed(truths, most=30)}")
    return lines


def _rarer_kinds(found: dict[str, str]) -> dict[str, list[str]]:
    """Return the columns of dates and of texts, where there are any."""
    named = {key: kinds.of_kind(found, kind) for key, kind in RARER_KINDS.items()}
    return {key: columns for key, columns in named.items() if columns}


def _above_0(counts: pd.Series) -> dict[str, int]:
    return {str(column): int(count) for column, count in counts.items() if count}


def _outliers(numbers: pd.DataFrame) -> pd.Series:
    """Return how many values of each column lie outside Tukey's fences."""
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    fence = IQR_FENCE * (high - low)
    return ((numbers < low - fence) | (numbers > high + fence)).sum()


def _class_counts(target: pd.Series, positive: str | None) -> dict[str, int]:
    counts = target.value_counts()
    return {label: int(counts[label]) for label in targets.class_labels(target, positive)}


def _target_figures(target: pd.Series) -> dict[str, float | None]:
    figures = {
        "mean": target.mean(),
        "std": target.std(),
        "min": target.min(),
        "max": target.max(),
    }
    return {name: rounding.significant(value) for name, value in figures.items()}


def statistics(X: pd.DataFrame, most_categories: int | None = LISTED_CATEGORIES) -> dict[str, Any]:
    """Return what monitoring compares with, as train_stats.json holds it.

    Of a column of numbers it is mean, deviation and quantiles, of one of dates the quantiles, of
    categories the shares of the commonest, `most_categories` of them (None = all), of texts the
    same of their numbers of words, and of their words.
    """
    features = {}
    for column in X:
        values = X[column]
        figures: dict[str, Any] = {"missing_share": rounding.significant(values.isna().mean())}
        kind = kinds.kind_of(values)
        if kind == CATEGORY:
            figures["categories"] = _shares(values.value_counts(normalize=True), most_categories)
        else:
            figures |= STATISTICS[kind](values)
        features[column] = figures
    return {"schema": 1, "rows": len(X), "features": features}


def _number_statistics(values: pd.Series) -> dict[str, Any]:
    quantiles = values.quantile(QUANTILES)
    return {
        "mean": rounding.significant(values.mean()),
        "std": rounding.significant(values.std()),
        "quantiles": {
            f"{share:g}": rounding.significant(value) for share, value in quantiles.items()
        },
    }


def _date_statistics(values: pd.Series) -> dict[str, Any]:
    quantiles = values.quantile(QUANTILES, interpolation="lower")
    texts = quantiles.map(pd.Timestamp.isoformat, na_action="ignore")
    return {"quantiles": {f"{share:g}": text for share, text in texts.items()}}


def _text_statistics(values: pd.Series) -> dict[str, Any]:
    words: Counter[str] = Counter()
    for text in values.dropna():
        words.update(set(kinds.WORD.findall(text.lower())))
    shares = pd.Series(words, dtype="float64") / max(values.count(), 1)
    counts = kinds.word_counts(values.dropna()).astype("float64")
    return {"word_count": _number_statistics(counts), "words": _shares(shares)}


def _shares(shares: pd.Series, most: int | None = LISTED_CATEGORIES) -> dict[str, float | None]:
    """Return the greatest shares, the greatest first, then by name."""
    common = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {str(label): rounding.significant(share) for label, share in common}


STATISTICS = {
    NUMBER: _number_statistics,
    DATE: _date_statistics,
    TEXT: _text_statistics,
}
