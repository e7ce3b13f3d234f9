"""Compare the candidates of all datasets and choose the best of each by its cross-validated primary metric.

    python compare_results.py
    python compare_results.py --show        # print the standing comparison, write nothing

Reads   params.yaml, metrics/datasets/
Writes  metrics/comparison_results.json, metrics/best/<dataset>.json, reports/comparison_report.html
"""

from pipeline import command, files, params, paths
from pipeline.errors import DataError

FEW_TEST_ROWS = 10          # of a class in the test split: below it the report says that the test score is no ground to judge by


def compare(dataset):
    """Return one dataset's part of the comparison: what the data are, every candidate, and the best one."""
    from pipeline import scoring, standing
    trained, candidates = standing.read(dataset)
    quality = files.read_json(paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}")
    metric = trained["primary_metric"]
    best = scoring.best_candidate(candidates, metric)
    gain = improvement(candidates, best, baseline(trained, best), metric)
    return {
        "task": trained["task"], "primary_metric": metric, "source": quality["source"], "synthetic": quality["synthetic"],
        "data_hash": quality["data_hash"], "rows": quality["split"], "features": quality["features"],
        "candidates": candidates,
        "best": {"name": best, "by": f"cv {metric}", "improvement": gain},
    }


def baseline(trained, best):
    """Return what the best candidate is held against: of train's models the best, or the dummy where it is that one itself."""
    from pipeline import scoring
    best_of_train = scoring.best_candidate(trained["candidates"], trained["primary_metric"])
    return best_of_train if best_of_train != best else "dummy"


def improvement(candidates, best, baseline, metric):
    """Return how much better than a baseline the best candidate's cross-validated metric is; None without that baseline."""
    if baseline not in candidates or best == baseline:
        return None
    from pipeline import scoring
    one, other = (candidates[name]["cv"][metric]["mean"] for name in (best, baseline))
    gain = other - one if metric in scoring.LOWER_IS_BETTER else one - other
    return {"over": baseline, "absolute": scoring.rounded(gain),
            "percent": scoring.rounded(100 * gain / abs(other)) if other else None}


def best_figures(result):
    """Return the few figures of the chosen candidate that `dvc metrics show` prints and later stages read."""
    name, metric = result["best"]["name"], result["primary_metric"]
    candidate = result["candidates"][name]
    test = candidate["test"][metric]
    return {"candidate": name, "stage": candidate["stage"], "primary_metric": metric,
            "cv": candidate["cv"][metric]["mean"], "cv_std": candidate["cv"][metric]["std"],
            "test": test["value"], "test_low": test["low"], "test_high": test["high"],
            "data": "synthetic" if result["synthetic"] else "real"}


def report(results):
    """Return the comparison as one self-contained HTML page."""
    from jinja2 import Environment, PackageLoader, select_autoescape
    from pipeline import scoring
    page = Environment(loader=PackageLoader("pipeline", "reports"), autoescape=select_autoescape(("j2",)), trim_blocks=True,
                       lstrip_blocks=True).get_template("comparison.html.j2")
    order = {dataset: sorted(result["candidates"], key=lambda name: rank(result, name)) for dataset, result in results.items()}
    return page.render(results=results, order=order, lower_is_better=scoring.LOWER_IS_BETTER, shown=shown,
                       rare={dataset: rare_class(result) for dataset, result in results.items()})


def rare_class(result):
    """Return (class, test rows of it) where the test split holds too few rows of a class to judge by, else None."""
    matrix = result["candidates"][result["best"]["name"]].get("confusion_matrix")
    if matrix is None:
        return None
    rows, label = min((sum(row), label) for label, row in zip(matrix["labels"], matrix["counts"]))
    return (label, rows) if rows < FEW_TEST_ROWS else None


def shown(value):
    """Return a figure as it is printed: four digits, or whole from a thousand on."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def rank(result, name):
    """Return what orders the candidates of a dataset from the best to the worst."""
    from pipeline import scoring
    mean = result["candidates"][name]["cv"][result["primary_metric"]]["mean"]
    lower = result["primary_metric"] in scoring.LOWER_IS_BETTER
    return name != result["best"]["name"], mean is None, (mean or 0) * (1 if lower else -1), name


def table(results):
    """Return the lines that name the best candidate of each dataset, its score and its interval."""
    lines = [f"{'dataset':20} {'best':20} {'metric':18} {'cv':>18} {'test [95 % interval]':>28}"]
    for dataset, result in results.items():
        figures = best_figures(result)
        cv = f"{shown(figures['cv'])} ± {shown(figures['cv_std'])}"
        test = f"{shown(figures['test'])} [{shown(figures['test_low'])}, {shown(figures['test_high'])}]"
        data = "  synthetic data" if result["synthetic"] else ""
        lines.append(f"{dataset:20} {figures['candidate']:20} {figures['primary_metric']:18} {cv:>18} {test:>28}{data}")
    return lines


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--show", action="store_true", help="print the standing comparison and what to open next")
    args = parser.parse_args(argv)
    if args.show:
        print("\n".join(table(files.read_json(paths.COMPARISON, made_by="dvc repro")["datasets"])))
        print(f"report: {paths.COMPARISON_REPORT}; the runs: `make ui` (or `mlflow ui`)")
        return
    settings = params.load()
    trained = [dataset for dataset in settings.datasets if paths.metrics(dataset, "train").is_file()]
    left_out = [dataset for dataset in settings.datasets if dataset not in trained]
    if not trained:
        raise DataError(f"{paths.DATASET_METRICS}: no dataset of {paths.PARAMS} is trained yet; run `dvc repro`")
    results = {dataset: compare(dataset) for dataset in trained}
    with files.replacing(paths.BEST) as partial:
        for dataset, result in results.items():
            files.write_json(partial / f"{dataset}.json", best_figures(result))
    files.write_text(paths.COMPARISON_REPORT, report(results))
    files.write_json(paths.COMPARISON, {"schema": 1, "datasets": results})
    from pipeline import tracking
    for dataset in results:
        tracking.record(dataset, "compare", settings)
    chosen = ", ".join(f"{result['best']['name']} for {dataset}" for dataset, result in results.items())
    rest = f"; not trained yet: {', '.join(left_out)}" if left_out else ""
    print(f"compare: {chosen}{rest} -> {paths.COMPARISON}, {paths.COMPARISON_REPORT}")


if __name__ == "__main__":
    command.run(main)
