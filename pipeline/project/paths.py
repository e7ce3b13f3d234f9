"""Paths: where each artefact lies, relative to the project's root; nothing else spells one.

metrics/datasets is a dependency of compare as a whole: nothing but the stages' own outputs may lie
in it.
"""

from pathlib import Path

PARAMS = Path("params.yaml")
DVC_LOCK = Path("dvc.lock")
METRICS = Path("metrics")
COMPARISON = Path("metrics/comparison_results.json")
REPORTS = Path("reports")
REPORTS_INDEX = Path("reports/index.html")
COMPARISON_REPORT = Path("reports/comparison_report.html")
PLOTS = Path("reports/plots")
PICTURES = Path("reports/pictures.json")
MLFLOW_RUNS = Path("logs/mlflow_runs")
MLFLOW_COMPARISONS = Path("logs/mlflow_comparisons")
MLFLOW_SYNCED = Path("logs/mlflow_synced")
DATASET_METRICS = Path("metrics/datasets")
BEST = Path("metrics/best")
VALIDATION = Path("metrics/validation")
REGISTRATION = Path("metrics/registration")
VALIDATION_LOG = Path("logs/validation.log")
STORE = Path("mlflow.db")
ARTIFACTS = Path("mlruns")
STORE_LOCK = Path("mlflow.db.lock")
RAW = Path("data/raw")
INFERENCE_LOGS = Path("logs/inference")


def processed(dataset: str) -> Path:
    """Return the folder of the dataset's train.parquet and test.parquet."""
    return Path("data/processed") / dataset


def current_batch(dataset: str) -> Path:
    """Return the CSV file of rows as production might send them, made to try the drift alarm."""
    return Path("data") / f"{dataset}_current.csv"


def predictions(dataset: str, stage: str) -> Path:
    """Return the folder of a stage's out-of-fold and test predictions."""
    return Path("data/predictions") / dataset / stage


def metrics(dataset: str, stage: str) -> Path:
    """Return the JSON file in which a stage of one dataset leaves its figures."""
    return DATASET_METRICS / dataset / f"{stage}.json"


def summary(dataset: str, stage: str) -> Path:
    """Return the JSON file of a stage's few main figures, which `dvc metrics show` prints."""
    return DATASET_METRICS / dataset / "summary" / f"{stage}.json"


def models(dataset: str, stage: str) -> Path:
    """Return the folder that holds one folder per model of a stage."""
    return Path("models") / dataset / stage


def reports(dataset: str, stage: str) -> Path:
    """Return the folder of a stage's figures and pages."""
    return Path("reports") / dataset / stage


def dataset_index(dataset: str) -> Path:
    """Return the page that lists the reports on a dataset; no stage's output."""
    return REPORTS / dataset / REPORTS_INDEX.name


def part_of_page(dataset: str) -> str:
    """Return the id of a dataset's part of the comparison page."""
    return f"d-{dataset}"


def inference_log(dataset: str) -> Path:
    """Return the file to which the server writes each row it serves; older ones lie beside it."""
    return INFERENCE_LOGS / f"{dataset}.jsonl"


def best(dataset: str) -> Path:
    """Return the file that names the chosen candidate."""
    return BEST / f"{dataset}.json"


def validation(dataset: str) -> Path:
    """Return the file of the gates' verdicts."""
    return VALIDATION / f"{dataset}.json"


def registration(dataset: str) -> Path:
    """Return the file that asks for the chosen model to be in the registry."""
    return REGISTRATION / f"{dataset}.json"


def promotions(dataset: str) -> Path:
    """Return the log of what became the champion and why; no stage makes it: it is not DVC's."""
    return Path("logs/promotions") / f"{dataset}.jsonl"


def downloaded(sha256: str) -> Path:
    """Return the folder of a registered model that was fetched from another machine."""
    return Path("models/.registered") / sha256


def timings(dataset: str, stage: str) -> Path:
    """Return the file of a stage's durations, which do not repeat and so lie outside DVC."""
    return Path("logs/timings") / f"{dataset}_{stage}.json"


def finished_pipeline(dataset: str) -> Path:
    """Return the file of what the last pipeline did for a dataset; its seconds do not repeat."""
    return Path("logs/pipelines") / f"{dataset}.json"


def mlflow_runs(dataset: str) -> Path:
    """Return the file of the runs' addresses in the MLflow store, which differ by store."""
    return MLFLOW_RUNS / f"{dataset}.json"


def mlflow_comparisons(dataset: str) -> Path:
    """Return the file of what the store holds of a dataset's past comparisons."""
    return MLFLOW_COMPARISONS / f"{dataset}.json"


def studies(dataset: str) -> Path:
    """Return the folder of a dataset's studies, from which an interrupted search goes on."""
    return Path("studies") / dataset
