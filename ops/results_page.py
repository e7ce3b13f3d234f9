"""docs/RESULTS.md: the results of the comparison as tables, those of synthetic data apart."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipeline.project.processor  # noqa: F401 - before numpy

from joblib import cpu_count

from pipeline.project.rounding import number_text
from pipeline.report.comparison import Comparison, DatasetResult, MeanRank
from pipeline.scoring import gates

DOCUMENT = Path("docs/RESULTS.md")
HEAD = [
    "# Results",
    "",
    "Written by `make results` from `metrics/comparison_results.json`, never by hand. "
    "How models are chosen and scored: [pipeline.md](pipeline.md).",
    "",
]
LIBRARIES = (
    "scikit-learn",
    "xgboost-cpu",
    "xgboost",
    "lightgbm",
    "catboost",
    "pandas",
    "numpy",
    "dvc",
    "mlflow",
)
SYNTHETIC_NOTE = (
    "Made by this project: these scores say that the pipeline works, not how well such problems "
    "can be solved."
)
MODELS_HEAD = [
    "| dataset | rows | best model | metric | cross-validation | test, 95 % interval | gates |",
    "| --- | ---: | --- | --- | --- | --- | --- |",
]
TUNING_HEAD = [
    "What tuning brought, by the paired difference on the test rows (positive is better):",
    "",
    "| dataset | candidate | against | metric | difference, 95 % interval |",
    "| --- | --- | --- | --- | --- |",
]
HOW_MADE = ["## How they were made", "", "```console", "$ make pipeline", "$ make results", "```"]


def page(comparison: Comparison) -> str:
    """Return the document."""
    lines = [*HEAD, *tables(comparison), *environment()]
    return "\n".join(lines) + "\n"


def tables(comparison: Comparison) -> list[str]:
    """Return the tables of the results, those of real data first."""
    real: dict[str, DatasetResult] = {}
    synthetic: dict[str, DatasetResult] = {}
    for name, result in comparison.datasets.items():
        part = synthetic if result.synthetic else real
        part[name] = result
    lines = []
    if real:
        lines += ["## Real data", "", *_part(real)]
    if synthetic:
        lines += ["## Synthetic data", "", SYNTHETIC_NOTE, "", *_part(synthetic)]
    if comparison.overall:
        lines += _overall(comparison.overall)
    return lines


def _part(results: dict[str, DatasetResult]) -> list[str]:
    lines = [*MODELS_HEAD]
    tuned = []
    for name, result in results.items():
        lines.append(_model_row(name, result))
        tuned += _tuning_rows(name, result)
    lines.append("")
    if tuned:
        lines += [*TUNING_HEAD, *tuned, ""]
    return lines


def _model_row(name: str, result: DatasetResult) -> str:
    cv, test = result.cv, result.test
    cells = [
        name,
        f"{result.rows.train + result.rows.test:,}",
        result.best.name,
        result.primary_metric,
        f"{number_text(cv.mean)} ± {number_text(cv.std)}",
        _interval(test.value, test.low, test.high),
        "; ".join(_gate(verdict) for verdict in result.gates) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def _gate(verdict: gates.Verdict) -> str:
    word = "passed" if verdict.passed else "**failed**"
    value, bounds = number_text(verdict.value), gates.bounds_text(verdict)
    return f"{word}: {gates.score_text(verdict)} {value} ({bounds})"


def _tuning_rows(name: str, result: DatasetResult) -> list[str]:
    rows = []
    for candidate, gains in result.tuning.improvement.items() if result.tuning else ():
        gain = gains.best_of_train
        if gain is None:
            continue
        difference = _interval(gain.test.absolute, gain.test.low, gain.test.high)
        cells = [name, candidate, gain.over, result.primary_metric, difference]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    return f"{number_text(value)} ({number_text(low)} to {number_text(high)})"


def _overall(overall: list[MeanRank]) -> list[str]:
    ranks = [f"{one.name} {number_text(one.mean_rank)}" for one in overall]
    sentence = f"Mean rank of the candidates that stand in every dataset: {', '.join(ranks)}."
    return ["## Over all datasets", "", sentence, ""]


def environment() -> list[str]:
    """Return the command, the versions and the kind of machine that gave the results."""

    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        *HOW_MADE,
        "",
        f"{python}, {cpu_count()} cores; {', '.join(_versions())}.",
        "Models and figures repeat byte for byte on one platform with these versions.",
    ]


def _versions() -> list[str]:
    versions = []
    for library in LIBRARIES:
        try:
            versions.append(f"{library} {version(library)}")
        except PackageNotFoundError:  # of the two XGBoost packages one is installed
            continue
    return versions
