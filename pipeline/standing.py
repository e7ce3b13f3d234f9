"""The candidates that stand: what training and tuning left in their metrics, of the data that are there now."""

from pipeline import files, paths
from pipeline.errors import DataError

STAGES = ("train", "tune")              # whose metrics hold candidates
SHARED = ("split_hash", "seed", "primary_metric", "cv_folds")       # what makes figures comparable


def read(dataset: str) -> tuple[dict, dict]:
    """Return train's figures of a dataset and {name: candidate} over all stages; tuning may not have run yet.

    Raises DataError where a stage's candidates are of other data than the prepared ones, or scored otherwise than train's.
    """
    quality = files.read_json(paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}")
    trained = files.read_json(paths.metrics(dataset, "train"), made_by=f"python train.py --dataset {dataset}")
    if trained["split_hash"] != quality["split_hash"]:
        raise DataError(f"{paths.metrics(dataset, 'train')}: its models are of other data than {paths.processed(dataset)}; "
                        f"run `python train.py --dataset {dataset}`, or `dvc repro`")
    candidates = dict(trained["candidates"])
    path = paths.metrics(dataset, "tune")
    if path.is_file():
        tuned = files.read_json(path, made_by=f"python tune_hyperparameters.py --dataset {dataset}")
        if any(tuned[key] != trained[key] for key in SHARED):
            raise DataError(f"{path}: its models are of other data or settings than train's; run "
                            f"`python tune_hyperparameters.py --dataset {dataset}`, or `dvc repro`")
        candidates |= tuned["candidates"]
    return trained, candidates
