"""Compare the candidates of all datasets and choose the best of each by its cross-validated primary metric.

    python compare_results.py
    python compare_results.py --show                # print the standing comparison and write its page anew
    python compare_results.py --against HEAD~1      # what changed since another git revision, as Markdown
    python compare_results.py --history             # past comparisons in the MLflow store, by commit

Reads   params.yaml, metrics/datasets/, data/processed/, data/predictions/; for the page besides logs/, reports/
Writes  metrics/comparison_results.json, metrics/best/<dataset>.json, reports/pictures.json, reports/plots/,
        reports/comparison_report.html
"""

from pipeline import command
from pipeline.data import cleaning, splits
from pipeline.project import errors, files, paths, rounding
from pipeline.project.errors import DataError, UsageError
from pipeline.report import advice, charts, dvc_plots, history, page
from pipeline.scoring import gates, metrics, slices, thresholds
from pipeline.scoring.rows import Rows
from pipeline.tracking import comparisons, record, store
from pipeline.training import predictions
from pipeline.training import results as training_results


def compare(dataset, settings):
    """Return one dataset's part of the comparison, and what its pictures draw.

    The part tells what the data are, every candidate, the best one with what it relies on and where it does worse, whether the
    gates hold, and what follows from all that.
    """
    standing = training_results.read_candidates(dataset)
    trained, candidates = standing.trained, standing.by_name
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    explained = {
        name: {"importance": candidate.pop("importance", {}), "shap": candidate.pop("shap", None)}
        for name, candidate in candidates.items()
    }
    metric, spec = trained["primary_metric"], settings.dataset(dataset)
    best = standing.best()
    gain = improvement(candidates, best, baseline(trained, best), metric)
    result = {
        "task": trained["task"],
        "primary_metric": metric,
        "target": spec.data.target,
        "source": quality["source"],
        "synthetic": quality["synthetic"],
        "data_hash": quality["data_hash"],
        "rows": quality["split"],
        "features": quality["features"],
        "missing_share": quality["missing_share"],
        "class_counts": quality.get("class_counts"),
        "cv_folds": trained["cv_folds"],
        "candidates": candidates,
        "best": {"name": best, "by": f"cv {metric}", "improvement": gain},
        "tuning": tuning(dataset),
        "gates": gates.verdicts(spec.gates, candidates[best]),
        "explanation": explained[best],
    }
    drawn, result["slices"] = looked_into(dataset, result, settings)
    if result["tuning"]:
        drawn["course"] = result["tuning"].pop("course")
    drift = drift_figures(dataset)
    result["advice"] = advice.advice(dataset, result, drift)
    result["verdict"] = advice.verdict(result["advice"])
    return result, drawn


def baseline(trained, best):
    """Return what the best candidate is held against: of train's models the best, or the dummy where it is that one itself."""
    best_of_train = training_results.best_candidate(
        trained["candidates"], trained["primary_metric"]
    )
    return best_of_train if best_of_train != best else "dummy"


def improvement(candidates, best, baseline, metric):
    """Return how much better than a baseline the best candidate's cross-validated metric is; None without that baseline."""
    if baseline not in candidates or best == baseline:
        return None
    one, other = (candidates[name]["cv"][metric]["mean"] for name in (best, baseline))
    gain = metrics.gain(metric, one, other)
    return {
        "over": baseline,
        "absolute": rounding.significant(gain),
        "percent": rounding.significant(100 * gain / abs(other)) if other else None,
    }


def tuning(dataset):
    """Return how many trials the search had, its best candidate, what each gained, and the course; None where it has not run."""
    tuned = training_results.read_tune(dataset)
    if tuned is None:
        return None
    return {
        "trials": tuned["trials"],
        "best": tuned["best"],
        "improvement": tuned["improvement"],
        "course": tuned.get("course", []),
    }


def looked_into(dataset, result, settings):
    """Return what the dataset's pictures draw, and how the best model does on slices.

    A clone has the figures of all datasets before it has their rows: the pictures are left out then, and slices are as they were.
    """
    best, metric = result["best"]["name"], result["primary_metric"]
    if (
        not paths.processed(dataset).is_dir()
        or not paths.predictions(dataset, result["candidates"][best]["stage"]).is_dir()
    ):
        return {}, standing_slices(dataset, result)
    names = [
        name
        for name in training_results.ranked(result["candidates"], metric)
        if name == best or name != "dummy"
    ]
    names = names[: charts.MOST_CURVES]  # the best one first
    candidate = result["candidates"][best]
    classes = training_results.classes_of(candidate)
    stages = {name: result["candidates"][name]["stage"] for name in names}
    parts = {
        part: predictions.read_predicted(dataset, part, stages, classes)
        for part in predictions.PARTS
    }
    drawn = (
        charts.curves(names, parts, classes)
        if classes
        else {
            "tolerance": charts.tolerance(names, parts["test"]),
            "dots": charts.dots(parts["test"], best),
        }
    )
    drawn["outcomes"] = charts.outcomes(parts["test"], best, candidate)
    return drawn, scored_slices(dataset, result, settings, parts["oof"], parts["test"])


def scored_slices(dataset, result, settings, oof, test):
    """Return the slices that params.yaml names and those that a search finds out of fold, with the test rows' score on each."""
    spec, best, metric = settings.dataset(dataset), result["best"]["name"], result["primary_metric"]

    def features(split, rows):
        frame = splits.read_split(dataset, split)
        return frame.loc[
            rows, cleaning.feature_columns(frame, spec.data, spec.prepare.split_column)
        ]

    X, X_test = features("train", oof.rows), features("test", test.rows)
    unknown = [column for column in spec.slices.columns if column not in X]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.slices.columns: no feature {unknown[0]!r}; there are: "
            f"{errors.listed(X.columns, most=100)}"
        )
    error, candidate = (
        slices.errors(oof.y, oof.outputs[best]),
        result["candidates"][best],
    )
    test_rows = thresholds.decided(Rows(test.y, test.outputs[best]), candidate.get("threshold"))
    overall = candidate["test"][metric]["value"]
    found = []
    for part in slices.find(X, error, spec.slices):
        rows = part.mask(X)
        scored = slices.score(part, X_test, test_rows, metric, overall, settings.seed)
        found.append(
            {
                "where": str(part),
                "origin": part.origin,
                "train_rows": int(rows.sum()),
                "error_ratio": charts.short(error[rows].mean() / error.mean())
                if error.mean() > 0
                else None,
                "test": scored.as_json(),
            }
        )
    return found


def standing_slices(dataset, result):
    """Return the slices of the last comparison where the best model is still the same, else none."""
    if not paths.COMPARISON.is_file():
        return []
    last = files.read_json(paths.COMPARISON, made_by="dvc repro")["datasets"].get(dataset)
    sha256 = [
        one["candidates"][one["best"]["name"]]["model_sha256"] for one in (last, result) if one
    ]
    return last.get("slices", []) if len(sha256) == 2 and sha256[0] == sha256[1] else []


def drift_figures(dataset):
    """Return the drift stage's figures; None where it has not run."""
    path = paths.metrics(dataset, "drift")
    return files.read_json(path, made_by=f"dvc repro drift@{dataset}") if path.is_file() else None


def best_figures(result):
    """Return the few figures of the chosen candidate that `dvc metrics show` prints and later stages read."""
    name, metric = result["best"]["name"], result["primary_metric"]
    candidate = result["candidates"][name]
    test = candidate["test"][metric]
    return {
        "candidate": name,
        "stage": candidate["stage"],
        "primary_metric": metric,
        "cv": candidate["cv"][metric]["mean"],
        "cv_std": candidate["cv"][metric]["std"],
        "test": test["value"],
        "test_low": test["low"],
        "test_high": test["high"],
        "data": "synthetic" if result["synthetic"] else "real",
    }


def overall(results):
    """Return the candidates that stand in every dataset by their mean rank, the best first: [{name, mean_rank}].

    Ranks are among these candidates alone, so that a dataset with many does not weigh more.
    """
    everywhere = set.intersection(*(set(result["candidates"]) for result in results.values())) - {
        "dummy"
    }
    orders = [
        [
            name
            for name in training_results.ranked(result["candidates"], result["primary_metric"])
            if name in everywhere
        ]
        for result in results.values()
    ]
    means = {
        name: sum(order.index(name) + 1 for order in orders) / len(orders) for name in everywhere
    }
    order = sorted(means, key=lambda name: (means[name], name))
    return [{"name": name, "mean_rank": rounding.significant(means[name])} for name in order]


def table(results):
    """Return the lines that name the best candidate of each dataset, its score and its interval."""
    lines = [f"{'dataset':20} {'best':26} {'metric':18} {'cv':>18} {'test [95 % interval]':>28}"]
    for dataset, result in results.items():
        figures = best_figures(result)
        cv = f"{rounding.number_text(figures['cv'])} ± {rounding.number_text(figures['cv_std'])}"
        test = f"{rounding.number_text(figures['test'])} [{rounding.number_text(figures['test_low'])}, {rounding.number_text(figures['test_high'])}]"
        data = "  synthetic data" if result["synthetic"] else ""
        lines.append(
            f"{dataset:20} {figures['candidate']:26} {figures['primary_metric']:18} {cv:>18} {test:>28}{data}"
        )
    return lines


def write(results, drawn):
    """Write the comparison, the files that `dvc plots show` draws, and the page."""
    with files.replacing(paths.BEST) as partial:
        for dataset, result in results.items():
            files.write_json(partial / f"{dataset}.json", best_figures(result))
    with files.replacing(paths.PLOTS) as partial:
        for dataset, result in results.items():
            dvc_plots.write_plots(partial, dataset, result, drawn[dataset])
    comparison = {"schema": 1, "overall": overall(results), "datasets": results}
    files.write_json(paths.PICTURES, drawn)
    files.write_text(paths.COMPARISON_REPORT, page.page(comparison, drawn))
    files.write_json(paths.COMPARISON, comparison)


def compare_all(settings):
    """Return the comparison and the pictures of every dataset that is trained, and the names of those that are not."""
    trained = [
        dataset for dataset in settings.datasets if paths.metrics(dataset, "train").is_file()
    ]
    if not trained:
        raise DataError(
            f"{paths.DATASET_METRICS}: no dataset of {paths.PARAMS} is trained yet; run `dvc repro`"
        )
    both = {dataset: compare(dataset, settings) for dataset in trained}
    return (
        {dataset: result for dataset, (result, _) in both.items()},
        {dataset: drawn for dataset, (_, drawn) in both.items()},
        [dataset for dataset in settings.datasets if dataset not in trained],
    )


def show():
    """Return the lines of the standing comparison; write its page anew, with what has come after it: times, runs, cards."""
    comparison = files.read_json(paths.COMPARISON, made_by="dvc repro")
    lines = table(comparison["datasets"])
    if paths.PICTURES.is_file():  # a clone has figures before it has pictures
        files.write_text(
            paths.COMPARISON_REPORT,
            page.page(comparison, files.read_json(paths.PICTURES, made_by="dvc repro")),
        )
        lines.append(f"report: {paths.COMPARISON_REPORT}; the runs: `make ui` (or `mlflow ui`)")
    return lines


def main(argv=None):
    parser = command.parser(__doc__)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--show", action="store_true", help="print the standing comparison and write its page anew"
    )
    instead.add_argument(
        "--against", metavar="REV", help="tell as Markdown what changed since a git revision"
    )
    instead.add_argument(
        "--history",
        action="store_true",
        help="tell as Markdown what past comparisons in MLflow chose",
    )
    args = parser.parse_args(argv)
    if args.show:
        print("\n".join(show()))
        return
    if args.against or args.history:
        print(
            "\n".join(
                history.against(args.against)
                if args.against
                else history.past(
                    comparisons.recorded_comparisons(command.settings()), store.tracking_uri()
                )
            )
        )
        return
    settings = command.settings()
    results, drawn, left_out = compare_all(settings)
    write(results, drawn)
    for dataset in results:
        record.record(dataset, "compare", settings)
    chosen = ", ".join(
        f"{result['best']['name']} for {dataset}" for dataset, result in results.items()
    )
    rest = f"; not trained yet: {', '.join(left_out)}" if left_out else ""
    print(f"compare: {chosen}{rest} -> {paths.COMPARISON}, {paths.COMPARISON_REPORT}")


if __name__ == "__main__":
    command.run(main)
