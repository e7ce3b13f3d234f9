"""The decisions on which version of a model is in use, taken on a request or by a person."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.data import splits
from pipeline.project import paths
from pipeline.project.errors import DataError, PipelineError, UsageError
from pipeline.project.params import Params
from pipeline.project.settings.judging import Register
from pipeline.registry import (
    bundles,
    evidence,
    promotion,
    promotion_log,
    recovery,
    registration,
    versions,
)
from pipeline.registry.evidence import Evidence, HeldOut
from pipeline.registry.promotion import Decision
from pipeline.registry.promotion_log import Entry, Line
from pipeline.registry.registration import Request
from pipeline.registry.versions import CHAMPION, RegisteredModel, Version
from pipeline.scoring.sampling import by_split
from pipeline.tracking import git, store

LONGEST_REASON = 1000  # characters of the log


@contextmanager
def _open_store() -> Iterator[Any]:
    """Yield mlflow while no other process writes; a failing store is reported in one line."""
    try:
        with store.open_store() as mlflow:
            yield mlflow
    except (PipelineError, OSError):
        raise
    # MLflow, SQLAlchemy or a server, each with errors of its own
    except Exception as error:
        raise DataError(
            f"{store.tracking_uri()}: {store.cause(error)}; fix the store, then run the same again "
            f"or `make sync`"
        ) from error


def bring(
    dataset: str, settings: Params, request: Request | None, trust_code: bool = False
) -> Entry | None:
    """Bring the registry to what the promotion log says, then decide on a request's model.

    Return the decision; None where it would be the one before, and without a request. With
    `trust_code` the copies of the user's code run, see storage.load; without it those that commits
    of this repository hold.
    """
    with _open_store() as mlflow:
        model = versions.registered_model(mlflow.MlflowClient(), dataset, settings)
        lines = recovery.catch_up(mlflow, model, settings.dataset(dataset).experiment)
        if lines:
            recovery.check_champion(model, lines)
        if request is None or promotion_log.is_settled(lines, request.model_sha256):
            return None
        return _decide(mlflow, model, settings, request, lines, trust_code)


def roll_back(
    dataset: str, settings: Params, reference: str | int, reason: str, trust_code: bool = False
) -> Entry:
    """Make another version the champion, and return the decision; `trust_code` is that of `bring`.

    Raises DataError where its files were changed or its output is not what it was, UsageError where
    it is the champion already; nothing changes then.
    """
    # asked before the store is opened for writing, which would create one
    versions.registered_model(store.client(), dataset, settings).version(reference)
    with _open_store() as mlflow:
        model = versions.registered_model(mlflow.MlflowClient(), dataset, settings)
        lines = recovery.catch_up(mlflow, model, settings.dataset(dataset).experiment)
        version = model.version(reference)
        if CHAMPION in version.aliases:
            raise UsageError(
                f"{model.name}: version {version.version} is the champion already; "
                f"`python rollback.py --dataset {dataset} --list` shows the others"
            )
        bundle = model.bundle(version)
        bundles.check(bundle, trust_code or bundles.code_is_committed(bundle))
        return _record(model, lines, version, Decision(promotion_log.ROLLED_BACK, reason))


def verify(dataset: str, settings: Params) -> str:
    """Return in one line that the log is whole and the registry follows it, or raise DataError."""
    return recovery.verify(versions.registered_model(store.client(), dataset, settings))


def sync_registry(datasets: Iterable[str], settings: Params) -> dict[str, Entry]:
    """Bring the registry to the datasets' logs and requests; return {dataset: new decision}."""
    decided = {}
    for dataset in datasets:
        request = registration.current_request(dataset)
        if request or paths.promotions(dataset).is_file():
            decision = bring(dataset, settings, request)
            if decision:
                decided[dataset] = decision
    return decided


def _decide(
    mlflow: Any,
    model: RegisteredModel,
    settings: Params,
    request: Request,
    lines: list[Line],
    trust_code: bool,
) -> Entry | None:
    """Register the requested model, decide on it, and carry the decision out."""
    dataset = settings.dataset(model.dataset)
    by_sha256 = {version.sha256: version for version in model.versions()}
    version = by_sha256.get(request.model_sha256)
    if version is None:
        version = _register(mlflow, model, dataset.experiment, request)
    bundle = model.bundle(version)
    bundles.check(bundle, trust_code or bundles.code_is_committed(bundle))
    rule, found = dataset.registration.promote, None
    if request.not_ready:
        decision = promotion.not_ready(request.not_ready)
    else:
        champion = by_sha256.get(promotion_log.aliases_after(lines).get(CHAMPION, ""))
        judged_before = promotion_log.judged_by(lines, request.split_hash)
        held_out = held_out_rows(model.dataset, settings, request, judged_before)
        held_out = replace(held_out, trust_code=trust_code)
        found = _evidence(model, dataset.registration, held_out, bundle, champion)
        decision = promotion.decide_promotion(rule, found)
    last = promotion_log.last_decision(lines, version.sha256)
    reason = decision.reason[:LONGEST_REASON]
    if last and (last.outcome, last.reason) == (decision.outcome, reason):
        return None
    return _record(model, lines, version, decision, rule, found)


def _evidence(
    model: RegisteredModel,
    rule: Register,
    held_out: HeldOut,
    bundle: Path,
    champion: Version | None,
) -> Evidence:
    """Return how a model compares with the champion or, while there is none, with guessing."""
    if champion is None:
        train = splits.read_split(model.dataset, "train")
        return evidence.against_guessing(bundle, train, held_out, rule)
    try:
        return evidence.against_champion(model.bundle(champion), bundle, held_out, rule)
    except DataError as error:  # the champion's files
        return Evidence(fault=str(error))


def held_out_rows(dataset: str, settings: Params, request: Request, judged_before: int) -> HeldOut:
    """Return the test rows that the models of a dataset are judged by, and how they were drawn."""
    block = settings.dataset(dataset)
    frame = splits.read_split(dataset, "test")
    origin = f"{paths.processed(dataset)}/test.parquet"
    units = splits.units(frame, block.prepare, origin)
    return HeldOut(
        frame=frame,
        origin=origin,
        split_hash=request.split_hash,
        judged_before=judged_before,
        block=block,
        metric=request.primary_metric,
        seed=settings.seed,
        sampling=by_split(block.prepare.split_kind, units),
    )


def _register(mlflow: Any, model: RegisteredModel, experiment: str, request: Request) -> Version:
    """Make a version of the model that a request asks for."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        bundles.write(folder, request)
        return versions.create_version(mlflow, model, experiment, folder)


def _record(
    model: RegisteredModel,
    lines: list[Line],
    version: Version,
    decision: Decision,
    rule: str | None = None,
    found: Evidence | None = None,
) -> Entry:
    """Write a decision into the registry, carry it out, and write it into the log; return it."""
    champion = model.entry().aliases.get(CHAMPION)
    champion_before = int(champion) if champion else None
    is_promotion = decision.outcome in (promotion_log.PROMOTED, promotion_log.ROLLED_BACK)
    entry = Entry(
        dataset=model.dataset,
        name=model.name,
        outcome=decision.outcome,
        version=version.version,
        sha256=version.sha256,
        bundle_sha256=version.tags["bundle_sha256"],
        data_hash=version.data_hash,
        champion_before=champion_before,
        champion=version.version if is_promotion else champion_before,
        reason=decision.reason[:LONGEST_REASON],
        git_commit=git.head(),
        rule=rule,
        figures=found.as_json() if found else None,
    )
    line = promotion_log.next_line(lines, entry)
    recovery.tag_line(model, line)
    recovery.carry_out(model, [*lines, line])
    return entry
