"""MLflow's Model Registry: versions of each dataset's model, the aliases that name the one in use, and their files.

With tracking.py the only importer of MLflow. A version is known by its model's sha256 and holds one folder: the stored model as
`models.load` takes it, train_stats.json, the model card, and what a promotion and a rollback check.
"""

import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

from pipeline.data import splits
from pipeline.project import paths
from pipeline.project.errors import DataError, PipelineError, UsageError
from pipeline.project.params import Params
from pipeline.registry import bundles, promotion, promotion_log, recovery, registration, versions
from pipeline.registry.versions import Version
from pipeline.tracking import git, store

LINE_TAG = "promotion."  # of a registered model: the promotion log's lines
LONGEST_REASON = 1000


# acting


@contextmanager
def _store():
    """Yield mlflow while no other process writes to the store; a store that fails is told in one line."""
    try:
        with store.open_store() as mlflow:
            yield mlflow
    except (PipelineError, OSError):
        raise
    except Exception as error:  # MLflow, SQLAlchemy or a server, each with errors of its own
        raise DataError(
            f"{store.tracking_uri()}: {store.cause(error)}; fix the store, then run the same again or "
            f"`make sync`"
        ) from error


def bring(dataset: str, settings: Params, request: dict | None) -> dict | None:
    """Bring the registry to what the promotion log says, then decide on the model that a request asks for.

    Return the log's new line; None where that model was decided on before, and for no request.
    """
    with _store() as mlflow:
        lines = _caught_up(mlflow, dataset, settings)
        if request and not promotion_log.last_decision(lines, request["model_sha256"]):
            return _decide(mlflow, dataset, settings, request, lines)


def roll_back(dataset: str, settings: Params, reference: str | int, reason: str) -> dict:
    """Make another version the champion once its files are verified and it predicts what it did; return the log's line."""
    versions.named_version(
        store.client(), dataset, settings, reference
    )  # before a store is made for nothing
    with _store() as mlflow:
        client, name = mlflow.MlflowClient(), settings.dataset(dataset).registration.name
        lines = _caught_up(mlflow, dataset, settings, moved_by_hand=True)
        version = versions.version_of(versions.named_version(client, dataset, settings, reference))
        if versions.CHAMPION in version.aliases:
            raise UsageError(
                f"{name}: version {version.version} is the champion already; "
                f"`python rollback.py --dataset {dataset} --list` shows the others"
            )
        bundles.check(versions.with_files(client, version).folder)
        return _record(client, dataset, name, lines, version, promotion_log.ROLLED_BACK, reason)


def _caught_up(mlflow, dataset: str, settings: Params, moved_by_hand: bool = False) -> list[dict]:
    """Return the lines of the promotion log once the registry and the file hold the same and the aliases are what they say.

    A decision that was cut short is carried out, a lost log is written from the registry, a lost registry or champion from the
    log.
    """
    client, name = mlflow.MlflowClient(), settings.dataset(dataset).registration.name
    if versions.registered_model(client, name) is None:
        client.create_registered_model(name, tags={"dataset": dataset})
    lines, tagged = logged(client, dataset, name)
    if len(tagged) > len(lines):
        lines = tagged
        _carry_out(client, dataset, name, lines)
    elif len(tagged) < len(lines):
        recovery.register_again(mlflow, dataset, settings, lines)
        _carry_out(client, dataset, name, lines)
        for line in lines[len(tagged) :]:
            client.set_registered_model_tag(name, _tag(line), promotion_log.text_of(line))
    elif lines:
        champion = [
            line
            for line in lines
            if line["sha256"] == promotion_log.aliases_after(lines)[versions.CHAMPION]
        ]
        if recovery.register_again(
            mlflow, dataset, settings, champion
        ):  # it was deleted, in MLflow's interface perhaps
            _carry_out(client, dataset, name, lines)
    if lines and not moved_by_hand:
        _check_champion(client, dataset, name, [lines])
    return lines


def logged(client, dataset: str, name: str) -> tuple[list[dict], list[dict]]:
    """Return the lines of the promotion log's file, and those that the registry holds; DataError where they contradict."""
    lines, tags = promotion_log.read_log(dataset), versions.registered_model(client, name).tags
    tagged = promotion_log.checked_lines(
        [tags[key] for key in sorted(tags) if key.startswith(LINE_TAG)], f"{name}: tags {LINE_TAG}*"
    )
    for one, other in zip(lines, tagged):
        if one != other:
            raise DataError(
                f"{paths.promotions(dataset)}: line {one['number']} is not that of {name} in "
                f"{store.tracking_uri()}; restore the file, or set {store.TRACKING_URI} to its store"
            )
    return lines, tagged


def _check_champion(client, dataset: str, name: str, logs: list[list[dict]]) -> Version:
    """Return the champion; DataError where it is in none of the logs' states."""
    champion = next(
        (
            version
            for version in versions.versions_of(client, name)
            if versions.CHAMPION in version.aliases
        ),
        None,
    )
    if champion is None or champion.sha256 not in [
        promotion_log.aliases_after(lines).get(versions.CHAMPION) for lines in logs
    ]:
        expected = promotion_log.last_decision(
            logs[0], promotion_log.aliases_after(logs[0])[versions.CHAMPION]
        )["version"]
        raise DataError(
            f"{name}: @champion is {f'version {champion.version}' if champion else 'gone'}, the promotion log says "
            f"version {expected}: it was moved by hand, or its files are lost; `python rollback.py --dataset "
            f"{dataset} --to N` settles it"
        )
    return champion


def _decide(mlflow, dataset: str, settings: Params, request: dict, lines: list[dict]) -> dict:
    """Register the requested model, hold it against the champion, and write and follow the decision."""
    client, spec = mlflow.MlflowClient(), settings.dataset(dataset)
    name, register = spec.registration.name, spec.registration
    by_sha256 = {version.sha256: version for version in versions.versions_of(client, name)}
    version = by_sha256.get(request["model_sha256"])
    if version is None:
        with tempfile.TemporaryDirectory() as temporary:
            bundles.write(Path(temporary) / "model", request)
            version = registration.register_bundle(mlflow, Path(temporary) / "model", settings)
    challenger = versions.with_files(client, version).folder
    bundles.check(challenger)
    if not lines:
        return _record(
            client,
            dataset,
            name,
            lines,
            version,
            promotion_log.PROMOTED,
            "the first version: its gates hold",
        )
    champion = by_sha256[promotion_log.aliases_after(lines)[versions.CHAMPION]]
    try:
        found = promotion.gather_evidence(
            versions.with_files(client, champion).folder,
            challenger,
            splits.read_split(dataset, "test"),
            f"{paths.processed(dataset)}/test.parquet",
            spec.data,
            register,
            request["primary_metric"],
            settings.seed,
        )
    except DataError as error:  # the champion's files
        found = {"fault": str(error)}
    outcome, reason = promotion.decide_promotion(register.promote, found)
    return _record(
        client, dataset, name, lines, version, outcome, reason, rule=register.promote, figures=found
    )


def _record(
    client,
    dataset: str,
    name: str,
    lines: list[dict],
    version: Version,
    outcome: str,
    reason: str,
    **more,
) -> dict:
    """Write a decision into the registry, carry it out, and write it into the log; return its line."""
    before = versions.registered_model(client, name).aliases.get(versions.CHAMPION)
    before = int(before) if before else None
    moved = outcome in (promotion_log.PROMOTED, promotion_log.ROLLED_BACK)
    line = promotion_log.next_line(
        lines,
        {
            "dataset": dataset,
            "name": name,
            "outcome": outcome,
            "version": version.version,
            "sha256": version.sha256,
            "bundle_sha256": version.tags["bundle_sha256"],
            "data_hash": version.data_hash,
            "from": before,
            "to": version.version if moved else before,
            "reason": reason[:LONGEST_REASON],
            **more,
            "git_commit": git.head(),
        },
    )
    client.set_registered_model_tag(name, _tag(line), promotion_log.text_of(line))
    _carry_out(client, dataset, name, [*lines, line])
    return line


def _carry_out(client, dataset: str, name: str, lines: list[dict]) -> None:
    """Bring the aliases, and while MLflow has them the stages, to what the lines say; then write the log."""
    registered, by_sha256 = (
        versions.registered_model(client, name),
        {version.sha256: version for version in versions.versions_of(client, name)},
    )
    standing = {
        alias: by_sha256[sha256].version
        for alias, sha256 in promotion_log.aliases_after(lines).items()
        if sha256 in by_sha256
    }
    for alias in promotion_log.ALIASES:
        if alias not in standing and alias in registered.aliases:
            client.delete_registered_model_alias(name, alias)
        elif alias in standing and str(standing[alias]) != str(registered.aliases.get(alias)):
            client.set_registered_model_alias(name, alias, str(standing[alias]))
    if versions.CHAMPION in standing and hasattr(client, "transition_model_version_stage"):
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # deprecated, and asked for by those who load by stage
            client.transition_model_version_stage(
                name, str(standing[versions.CHAMPION]), "Production", archive_existing_versions=True
            )
    promotion_log.write_log(dataset, lines)


def _tag(line: dict) -> str:
    return f"{LINE_TAG}{line['number']:06}"


def verify(dataset: str, settings: Params) -> str:
    """Return what was found in one line; DataError where the log is not whole, or the registry is not what it says."""
    client, name = store.client(), settings.dataset(dataset).registration.name
    if versions.registered_model(client, name) is None:
        raise DataError(
            f"{name}: not in {store.tracking_uri()}; run `python register_model.py --dataset {dataset}`"
        )
    lines, tagged = logged(client, dataset, name)
    if not tagged:
        raise DataError(
            f"{name}: nothing was decided on it; run `python register_model.py --dataset {dataset}`"
        )
    behind = len(tagged) - len(lines)
    if behind not in (0, 1):
        raise DataError(
            f"{paths.promotions(dataset)}: has {len(lines)} lines, {name} in {store.tracking_uri()} has "
            f"{len(tagged)}; run `make sync`, which writes the others"
        )
    champion = _check_champion(client, dataset, name, [tagged, lines] if behind else [lines])
    versions.with_files(client, champion)
    cut_short = ", the last still to be carried out: run `make sync`" if behind else ""
    return (
        f"{name}: the log is whole, {len(tagged)} lines{cut_short}; @champion is version {champion.version}, with the files "
        f"that were registered"
    )


def sync_registry(settings: Params) -> dict[str, dict]:
    """Bring the registry to the promotion logs and the requests of all datasets; return {dataset: the log's new line}."""
    written = {}
    for dataset in settings.datasets:
        request = recovery.requested(dataset)
        if request or paths.promotions(dataset).is_file():
            line = bring(dataset, settings, request)
            written |= {dataset: line} if line else {}
    return written
