"""Compare the candidates of each dataset and choose the best by its cross-validated metric.

    python compare_results.py
    python compare_results.py --dataset iris    # only iris; keep the results of the others
    python compare_results.py --show            # print the last comparison and rebuild its page
    python compare_results.py --against HEAD~1  # what changed since a git revision, as Markdown
    python compare_results.py --history         # past comparisons in the MLflow store, by commit

Reads   params.yaml, metrics/datasets/, data/processed/, data/predictions/;
        for the page also logs/, reports/
Writes  metrics/comparison_results.json, metrics/best/<dataset>.json, reports/pictures.json,
        reports/plots/, reports/comparison_report.html, reports/index.html,
        reports/<dataset>/index.html
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline import command
from pipeline.data.leaks.table import leaks_in
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.project.rounding import number_text
from pipeline.report import (
    advice,
    best,
    comparison,
    history,
    page,
    pairs,
    pictures,
    stage_figures,
)
from pipeline.report.best import BestPredictions
from pipeline.report.comparison import Comparison, DatasetResult, Rows, SliceResult
from pipeline.report.index import pages as index_pages
from pipeline.report.pairs import Pairs
from pipeline.report.pictures import Pictures
from pipeline.tracking import comparisons, record, store
from pipeline.training.results.reading import read_candidates

ROW = "{:20} {:26} {:18} {:>18} {:>28}{}"  # of the table that is printed


@dataclass(frozen=True)
class Compared:
    """One dataset's part of the comparison, and what its pictures draw."""

    result: DatasetResult
    drawn: Pictures


def compare(dataset: str, settings: Params) -> Compared:
    """Choose the best candidate of a dataset, look where it does worse, and say what follows."""
    result = choose(dataset, settings)
    predicted = best.read_predictions(dataset, result)
    if predicted is None:
        drawn, slices = Pictures(), best.previous_slices(dataset, result)
    else:
        looked = look_into(dataset, result, predicted, settings)
        slices = looked.slices
        drawn = replace(pictures.draw(result, predicted), pairs=looked.pairs)
    result = replace(result, slices=slices)
    leaks = leaks_in(read_quality(dataset))
    pieces = advice.advise(dataset, result, stage_figures.read_drift(dataset), leaks)
    result = replace(result, advice=pieces, verdict=advice.verdict(pieces))
    return Compared(result, replace(drawn, course=pictures.read_course(dataset)))


def read_quality(dataset: str) -> dict[str, Any]:
    """Return the figures of a dataset's table."""
    made_by = f"python prepare_data.py --dataset {dataset}"
    return files.read_json(paths.metrics(dataset, "quality"), made_by)


def choose(dataset: str, settings: Params) -> DatasetResult:
    """Return a dataset's figures with the best candidate, still without slices and advice."""
    standing = read_candidates(dataset)
    trained, recorded = standing.trained, standing.by_name
    quality = read_quality(dataset)
    spec, metric = settings.dataset(dataset), trained["primary_metric"]
    candidates = {name: comparison.candidate(content) for name, content in recorded.items()}
    chosen = best.choose(candidates, metric)
    expected = best.expected_scores(dataset, spec, standing, settings.seed)
    return DatasetResult(
        task=trained["task"],
        primary_metric=metric,
        target=spec.data.target,
        source=quality["source"],
        synthetic=quality["synthetic"],
        data_hash=quality["data_hash"],
        rows=Rows(**quality["split"]),
        features=quality["features"],
        missing_share=quality["missing_share"],
        class_counts=quality.get("class_counts"),
        cv_folds=trained["cv_folds"],
        constant_decisions=comparison.bounded_scores(trained.get("constant_decisions")),
        candidates=candidates,
        best=chosen,
        expected=expected,
        tuning=stage_figures.read_tuning(dataset),
        gates=best.hold_gates(spec.gates, candidates[chosen.name], expected),
        explanation=stage_figures.explanation(recorded[chosen.name]),
        slices=[],
        advice=[],
        verdict=advice.INFO,
    )


@dataclass(frozen=True)
class Looked:
    """Where the best model does worse, and where not; and every two candidates side by side."""

    slices: list[SliceResult]
    pairs: Pairs


def look_into(
    dataset: str, result: DatasetResult, predicted: BestPredictions, settings: Params
) -> Looked:
    """Return how the candidates do on the test rows and on parts of them."""
    spec = settings.dataset(dataset)
    train = best.read_split(dataset, "train", spec, result, predicted.out_of_fold)
    test = best.read_split(dataset, "test", spec, result, predicted.test)
    best.check_slice_columns(dataset, spec.slices.columns, train.X.columns)
    found = best.find_slices(train, spec.slices)
    every = predicted.all_on_test
    all_rows = best.read_split(dataset, "test", spec, result, every)
    return Looked(
        slices=best.scored_slices(result, found, train, test, settings.seed),
        pairs=pairs.compare(result, every, all_rows, found, settings.seed),
    )


def trained_datasets(wanted: list[str]) -> list[str]:
    """Return those of the wanted datasets that are trained; raise DataError where none is."""
    trained = [name for name in wanted if paths.metrics(name, "train").is_file()]
    if not trained:
        raise DataError(
            f"{paths.DATASET_METRICS}: not trained yet: {', '.join(wanted)}; run `dvc repro`"
        )
    return trained


def last_comparison(settings: Params) -> dict[str, Compared]:
    """Return what was found last on the datasets that are still in params.yaml."""
    if not paths.COMPARISON.is_file():
        return {}
    results = comparison.read().datasets
    drawn = pictures.read() or {}
    return {
        dataset: Compared(results[dataset], drawn.get(dataset, Pictures()))
        for dataset in settings.datasets
        if dataset in results
    }


def write_pages(whole: Comparison, drawn: dict[str, Pictures]) -> None:
    """Write the page of the comparison, and those that list all reports."""
    past = history.past_results(whole.datasets)
    files.write_text(paths.COMPARISON_REPORT, page.render(whole, drawn, past))
    index_pages.write(whole)


def write(compared: dict[str, Compared]) -> None:
    """Write the comparison, the files that `dvc plots show` draws, and the page."""
    results = {dataset: one.result for dataset, one in compared.items()}
    drawn = {dataset: one.drawn for dataset, one in compared.items()}
    whole = Comparison(comparison.SCHEMA, best.mean_ranks(results), results)
    with files.replacing(paths.BEST) as partial:
        for dataset, result in results.items():
            files.write_json(partial / f"{dataset}.json", best.best_figures(result))
    with files.replacing(paths.PLOTS) as partial:
        for dataset, result in results.items():
            pictures.write_plots(partial, dataset, result, drawn[dataset])
    pictures.write(drawn)
    write_pages(whole, drawn)
    comparison.write(whole)


def show(dataset: str) -> list[str]:
    """Return the lines of the last comparison on a dataset, or on `all`; write its page anew.

    The page then has what has come since: times, runs and model cards. A clone has figures before
    it has pictures, and no page.
    """
    last = comparison.read()
    lines = table({name: one for name, one in last.datasets.items() if dataset in ("all", name)})
    drawn = pictures.read()
    if drawn is not None:
        write_pages(last, drawn)
        lines.append(f"report: {paths.COMPARISON_REPORT}; the runs: `make ui` (or `mlflow ui`)")
    return lines


def table(results: dict[str, DatasetResult]) -> list[str]:
    """Return a line per dataset: its best candidate, the score and its interval."""
    lines = [ROW.format("dataset", "best", "metric", "cv", "test [95 % interval]", "")]
    for dataset, result in results.items():
        cv, test = result.cv, result.test
        cells = [
            dataset,
            result.best.name,
            result.primary_metric,
            f"{number_text(cv.mean)} ± {number_text(cv.std)}",
            f"{number_text(test.value)} [{number_text(test.low)}, {number_text(test.high)}]",
            "  synthetic data" if result.synthetic else "",
        ]
        lines.append(ROW.format(*cells))
    return lines


def past_comparisons(settings: Params) -> list[str]:
    """Return what the store recorded of past comparisons, as Markdown."""
    recorded = comparisons.recorded_comparisons(settings)
    return history.past(recorded, store.tracking_uri())


def closing_line(compared: dict[str, Compared], left_out: list[str]) -> str:
    """Return what was chosen, what is not trained yet, and where the comparison lies."""
    chosen = [f"{one.result.best.name} for {dataset}" for dataset, one in compared.items()]
    rest = f"; not trained yet: {', '.join(left_out)}" if left_out else ""
    return f"compare: {', '.join(chosen)}{rest} -> {paths.COMPARISON}, {paths.COMPARISON_REPORT}"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; each stands for something else than to compare."""
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--show", action="store_true", help="print the last comparison and rebuild its page"
    )
    instead.add_argument(
        "--against", metavar="REV", help="print what changed since a git revision, as Markdown"
    )
    instead.add_argument(
        "--history",
        action="store_true",
        help="print the models that past comparisons chose, as Markdown",
    )
    return parser.parse_args(argv)


def compare_all(wanted: list[str], settings: Params) -> None:
    """Compare the wanted datasets; keep what was found on others if they are not all."""
    found = {dataset: compare(dataset, settings) for dataset in trained_datasets(wanted)}
    if wanted == list(settings.datasets):
        whole = found
    else:
        known = {**last_comparison(settings), **found}
        whole = {dataset: known[dataset] for dataset in settings.datasets if dataset in known}
    write(whole)
    for dataset in found:
        record.record(dataset, "compare", settings)
    left_out = [dataset for dataset in wanted if dataset not in found]
    print(closing_line(found, left_out))


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    settings = command.settings()
    wanted = settings.names(args.dataset)
    if args.show:
        print("\n".join(show(args.dataset)))
    elif args.against:
        print("\n".join(history.against(args.against)))
    elif args.history:
        print("\n".join(past_comparisons(settings)))
    else:
        compare_all(wanted, settings)


if __name__ == "__main__":
    command.run(main)
