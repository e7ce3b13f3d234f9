"""Register a dataset's best model, and promote it to champion if the evidence supports it.

    python register_model.py --dataset iris

Reads   params.yaml, metrics/best/iris.json, metrics/validation/iris.json, the model in
        models/iris/, data/processed/iris/, metrics/datasets/iris/quality.json
Writes  metrics/registration/iris.json, the request; then a version with its model card in MLflow's
        registry, and the decision in logs/promotions/iris.jsonl and in the aliases. A model that
        was already decided on changes nothing
"""

import os
from typing import Any

from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.registry import decisions, promotion_log, registration
from pipeline.registry.promotion_log import Entry
from pipeline.registry.registration import Request
from pipeline.scoring import gates
from pipeline.scoring.gates import Verdict


def requested(
    dataset: str,
    name: str,
    best: dict[str, Any],
    validation: dict[str, Any],
    metadata: dict[str, Any],
) -> Request:
    """Return what is to be registered; DataError for a model whose gates do not hold."""
    check_gates(dataset, best["candidate"], validation, metadata["model_sha256"])
    return Request(
        dataset=dataset,
        name=name,
        candidate=best["candidate"],
        stage=best["stage"],
        model_sha256=metadata["model_sha256"],
        data_hash=metadata["data_hash"],
        split_hash=metadata["split_hash"],
        synthetic=metadata["synthetic"],
        primary_metric=best["primary_metric"],
        cv=registration.overall_scores(metadata["metrics"]["cv"]),
        test=registration.overall_scores(metadata["metrics"]["test"]),
        gates=validation["gates"],
        not_ready=validation.get("not_ready", []),
    )


def check_gates(
    dataset: str, candidate: str, validation: dict[str, Any], model_sha256: str
) -> None:
    """Raise DataError where the gates' verdicts are on another model, or one of them fails."""
    path = paths.validation(dataset)
    if validation["model_sha256"] != model_sha256:
        raise DataError(
            f"{path}: its verdict is on another model than {paths.best(dataset)}; run `python "
            f"compare_results.py` and `python validate_metrics.py --dataset {dataset}`"
        )
    failed = [
        f"{gates.score_text(Verdict(**gate))} {gate['value']}"
        for gate in validation["gates"]
        if not gate["passed"]
    ]
    if failed:
        raise DataError(
            f"{path}: {candidate} fails its gates ({', '.join(failed)}) and is not registered; "
            f"improve the model, or change the gate in {paths.PARAMS} if it asks too much"
        )


def read_request(dataset: str, name: str) -> Request:
    """Return the request that follows from the stages' files."""
    best = files.read_json(paths.best(dataset), made_by="python compare_results.py")
    validation = files.read_json(
        paths.validation(dataset), made_by=f"python validate_metrics.py --dataset {dataset}"
    )
    metadata = files.read_json(
        paths.models(dataset, best["stage"]) / best["candidate"] / "metadata.json",
        made_by=f"python train.py --dataset {dataset}",
    )
    return requested(dataset, name, best, validation, metadata)


def register(
    dataset: str, request: Request, settings: Params, trust_code: bool = False
) -> Entry | None:
    """Bring the registry to a request; return the decision, None where there is no new one.

    A stage of `dvc repro` does not open the store for a model that was decided on.
    """
    log = promotion_log.read_log(dataset)
    if "DVC_STAGE" in os.environ and promotion_log.is_settled(log, request.model_sha256):
        return None
    return decisions.bring(dataset, settings, request, trust_code)


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    command.add_trust_code(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    for dataset in settings.names(args.dataset):
        request = read_request(dataset, settings.dataset(dataset).registration.name)
        registration.write_request(paths.registration(dataset), request)
        decision = register(dataset, request, settings, args.trust_code)
        if decision is None:
            outcome = f"{request.name}: {request.candidate} was decided on before, nothing changes"
        else:
            outcome = promotion_log.summary(decision)
        print(f"register {dataset}: {outcome} -> {paths.promotions(dataset)}")


if __name__ == "__main__":
    command.run(main)
