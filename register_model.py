"""Register the best model of a dataset, and let it take the champion's place when the evidence says so.

    python register_model.py --dataset iris

Reads   params.yaml, metrics/best/iris.json, metrics/validation/iris.json, the model in models/iris/, data/processed/iris/,
        metrics/datasets/iris/quality.json
Writes  metrics/registration/iris.json, what is to be registered; then a version with its model card in MLflow's registry, and the
        decision on it in logs/promotions/iris.jsonl and in the aliases. A model that was decided on before changes nothing
"""

import os

from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.registry import decisions, promotion_log


def request(dataset, name, best, verdict, metadata):
    """Return what is to be registered; refuse a model whose gates do not hold."""
    if verdict["model_sha256"] != metadata["model_sha256"]:
        raise DataError(
            f"{paths.validation(dataset)}: its verdict is on another model than {paths.best(dataset)}; run `python "
            f"compare_results.py` and `python validate_metrics.py --dataset {dataset}`"
        )
    failed = [
        f"{gate['on']} {gate['metric']} {gate['value']}"
        for gate in verdict["gates"]
        if not gate["passed"]
    ]
    if failed:
        raise DataError(
            f"{paths.validation(dataset)}: {best['candidate']} fails its gates ({', '.join(failed)}) and is not "
            f"registered; improve the model, or change the gate in {paths.PARAMS} if it asks too much"
        )
    scores = {
        part: {
            metric: value
            for metric, value in metadata["metrics"][part].items()
            if "__" not in metric
        }
        for part in ("cv", "test")
    }
    return {
        "schema": 1,
        "dataset": dataset,
        "name": name,
        "candidate": best["candidate"],
        "stage": best["stage"],
        **{key: metadata[key] for key in ("model_sha256", "data_hash", "split_hash", "synthetic")},
        "primary_metric": best["primary_metric"],
        **scores,
        "gates": verdict["gates"],
    }


def register(dataset, settings):
    """Write the request of a dataset and bring the registry to it; return what came of it in one line."""
    best = files.read_json(paths.best(dataset), made_by="python compare_results.py")
    verdict = files.read_json(
        paths.validation(dataset), made_by=f"python validate_metrics.py --dataset {dataset}"
    )
    metadata = files.read_json(
        paths.models(dataset, best["stage"]) / best["candidate"] / "metadata.json",
        made_by=f"python train.py --dataset {dataset}",
    )
    asked = request(dataset, settings.dataset(dataset).registration.name, best, verdict, metadata)
    files.write_json(paths.registration(dataset), asked)
    line = None
    if "DVC_STAGE" not in os.environ or not promotion_log.last_decision(
        promotion_log.read_log(dataset), asked["model_sha256"]
    ):
        line = decisions.bring(dataset, settings, asked)
    if line is None:
        return f"{asked['name']}: {asked['candidate']} was decided on before, nothing changes"
    return f"{line['name']} version {line['version']}, {line['outcome']}: {line['reason']}"


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    for dataset in settings.names(args.dataset):
        print(f"register {dataset}: {register(dataset, settings)} -> {paths.promotions(dataset)}")


if __name__ == "__main__":
    command.run(main)
