"""MLflow's Model Registry: versions of each dataset's model, the aliases that name the one in use, and their files.

With tracking.py the only importer of MLflow. A version is known by its model's sha256 and holds one folder: the stored model as
`models.load` takes it, train_stats.json, the model card, and what a promotion and a rollback check.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlparse

from pipeline import bundles, files, paths, promotion, tracking
from pipeline.errors import DataError, PipelineError, UsageError
from pipeline.params import Params

CHAMPION = "champion"
MODEL_FOLDER = "data/model"         # of a version's artifacts: its bundle
LINE_TAG = "promotion."             # of a registered model: the promotion log's lines
LONGEST_DESCRIPTION = 5000          # characters that every store takes
LONGEST_REASON = 1000
NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Version:
    """A version of a registered model; `folder` holds its verified bundle where that was asked for."""

    name: str
    version: int
    sha256: str
    data_hash: str
    aliases: tuple[str, ...]
    tags: dict = field(repr=False)
    folder: Path | None = None


# reading

def resolve(dataset: str, settings: Params, reference: str | int = CHAMPION) -> Version:
    """Return the version that an alias or a number names, with its files, each found to be what was registered.

    Raises DataError where there is no such version, or a file of it was changed or is not there.
    """
    client = tracking.client()
    return _with_files(client, _version(_named(client, dataset, settings, reference)))


def number(dataset: str, settings: Params, alias: str = CHAMPION) -> int:
    """Return the number of the version that an alias names: one query, to be asked every second."""
    return int(_named(tracking.client(), dataset, settings, alias).version)


def versions(dataset: str, settings: Params) -> list[Version]:
    """Return the versions of a dataset's model, the oldest first."""
    client, name = tracking.client(), settings.dataset(dataset).registration.name
    if _registered(client, name) is None:
        raise DataError(f"{name}: not in {tracking.tracking_uri()}; run `python register_model.py --dataset {dataset}`")
    return _versions(client, name)


def _registered(client, name: str):
    """Return MLflow's entry of a registered model, None where there is none."""
    from mlflow.exceptions import MlflowException
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        return None


def _versions(client, name: str) -> list[Version]:
    aliases = _registered(client, name).aliases         # a search for versions gives none
    found = [_version(entry) for entry in client.search_model_versions(f"name = '{name}'")]
    return [replace(version, aliases=tuple(sorted(alias for alias, number in aliases.items() if int(number) == version.version)))
            for version in sorted(found, key=lambda version: version.version)]


def _named(client, dataset: str, settings: Params, reference: str | int):
    """Return MLflow's entry of the version that an alias or a number names."""
    from mlflow.exceptions import MlflowException
    name = settings.dataset(dataset).registration.name
    try:
        if str(reference).isdigit():
            return client.get_model_version(name, str(reference))
        return client.get_model_version_by_alias(name, str(reference))
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        what = f"version {reference}" if str(reference).isdigit() else f"@{reference}"
        raise DataError(f"{name}: no {what} in {tracking.tracking_uri()}; `python rollback.py --dataset {dataset} --list` shows "
                        f"what there is, `python register_model.py --dataset {dataset}` registers the best model") from None


def _version(entry) -> Version:
    return Version(entry.name, int(entry.version), entry.tags.get("sha256", ""), entry.tags.get("data_hash", ""),
                   tuple(sorted(entry.aliases)), dict(entry.tags))


def _with_files(client, version: Version) -> Version:
    """Return a version with its bundle, where MLflow keeps it or a copy of what lies elsewhere, once its sha256 are verified."""
    origin = f"{version.name} version {version.version}"
    if not version.sha256:
        raise DataError(f"{origin}: has no sha256: it was not registered by register_model.py; take another version")
    location = client.get_model_version_download_uri(version.name, str(version.version))
    parsed = urlparse(location)
    if parsed.scheme in ("", "file"):
        folder = Path(unquote(parsed.path)) / MODEL_FOLDER
    else:
        folder = paths.downloaded(version.sha256)
        if not folder.is_dir():
            _download(f"{location}/{MODEL_FOLDER}", folder)
    if not folder.is_dir():
        raise DataError(f"{origin}: {folder} is not there: the project was moved, or {paths.ARTIFACTS} cleaned; delete "
                        f"{paths.STORE}, keep {paths.ARTIFACTS}, and run `make sync`")
    bundles.verify(folder, json.loads(version.tags["files_sha256"]))
    found = files.read_json(folder / "metadata.json", bundles.MADE_BY)["model_sha256"]
    if found != version.sha256:
        raise DataError(f"{folder / 'metadata.json'}: model_sha256 {found} is not the registered {version.sha256}; take another "
                        f"version")
    return replace(version, folder=folder)


def _download(location: str, folder: Path) -> None:
    import mlflow
    with files.replacing(folder) as partial, tempfile.TemporaryDirectory() as elsewhere:
        fetched = mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=elsewhere,
                                                      tracking_uri=tracking.tracking_uri())
        shutil.copytree(fetched, partial)


# acting

@contextmanager
def _store():
    """Yield mlflow while no other process writes to the store; a store that fails is told in one line."""
    try:
        with tracking.store() as mlflow:
            yield mlflow
    except (PipelineError, OSError):
        raise
    except Exception as error:          # MLflow, SQLAlchemy or a server, each with errors of its own
        raise DataError(f"{tracking.tracking_uri()}: {tracking.cause(error)}; mend the store, then run the same again or "
                        f"`make sync`") from error


def bring(dataset: str, settings: Params, request: dict | None) -> dict | None:
    """Bring the registry to what the promotion log says, then decide on the model that a request asks for.

    Return the log's new line; None where that model was decided on before, and for no request.
    """
    with _store() as mlflow:
        lines = _caught_up(mlflow, dataset, settings)
        if request and not promotion.decided(lines, request["model_sha256"]):
            return _decide(mlflow, dataset, settings, request, lines)


def rollback(dataset: str, settings: Params, reference: str | int, reason: str) -> dict:
    """Make another version the champion once its files are verified and it predicts what it did; return the log's line."""
    _named(tracking.client(), dataset, settings, reference)             # before a store is made for nothing
    with _store() as mlflow:
        client, name = mlflow.MlflowClient(), settings.dataset(dataset).registration.name
        lines = _caught_up(mlflow, dataset, settings, moved_by_hand=True)
        version = _version(_named(client, dataset, settings, reference))
        if CHAMPION in version.aliases:
            raise UsageError(f"{name}: version {version.version} is the champion already; "
                             f"`python rollback.py --dataset {dataset} --list` shows the others")
        bundles.check(_with_files(client, version).folder)
        return _record(client, dataset, name, lines, version, promotion.ROLLED_BACK, reason)


def _caught_up(mlflow, dataset: str, settings: Params, moved_by_hand: bool = False) -> list[dict]:
    """Return the lines of the promotion log once the registry and the file hold the same and the aliases are what they say.

    A decision that was cut short is carried out, a lost log is written from the registry, a lost registry or champion from the
    log.
    """
    client, name = mlflow.MlflowClient(), settings.dataset(dataset).registration.name
    if _registered(client, name) is None:
        client.create_registered_model(name, tags={"dataset": dataset})
    lines, tagged = logged(client, dataset, name)
    if len(tagged) > len(lines):
        lines = tagged
        _carry_out(client, dataset, name, lines)
    elif len(tagged) < len(lines):
        _register_again(mlflow, dataset, settings, lines)
        _carry_out(client, dataset, name, lines)
        for line in lines[len(tagged):]:
            client.set_registered_model_tag(name, _tag(line), promotion.text_of(line))
    elif lines:
        champion = [line for line in lines if line["sha256"] == promotion.standing(lines)[CHAMPION]]
        if _register_again(mlflow, dataset, settings, champion):        # it was deleted, in MLflow's interface perhaps
            _carry_out(client, dataset, name, lines)
    if lines and not moved_by_hand:
        _check_champion(client, dataset, name, [lines])
    return lines


def logged(client, dataset: str, name: str) -> tuple[list[dict], list[dict]]:
    """Return the lines of the promotion log's file, and those that the registry holds; DataError where they contradict."""
    lines, tags = promotion.read(dataset), _registered(client, name).tags
    tagged = promotion.checked([tags[key] for key in sorted(tags) if key.startswith(LINE_TAG)], f"{name}: tags {LINE_TAG}*")
    for one, other in zip(lines, tagged):
        if one != other:
            raise DataError(f"{paths.promotions(dataset)}: line {one['number']} is not that of {name} in "
                            f"{tracking.tracking_uri()}; restore the file, or set {tracking.TRACKING_URI} to its store")
    return lines, tagged


def _check_champion(client, dataset: str, name: str, logs: list[list[dict]]) -> Version:
    """Return the champion; DataError where it is in none of the logs' states."""
    champion = next((version for version in _versions(client, name) if CHAMPION in version.aliases), None)
    if champion is None or champion.sha256 not in [promotion.standing(lines).get(CHAMPION) for lines in logs]:
        expected = promotion.decided(logs[0], promotion.standing(logs[0])[CHAMPION])["version"]
        raise DataError(f"{name}: @champion is {f'version {champion.version}' if champion else 'gone'}, the promotion log says "
                        f"version {expected}: it was moved by hand, or its files are lost; `python rollback.py --dataset "
                        f"{dataset} --to N` settles it")
    return champion


def _decide(mlflow, dataset: str, settings: Params, request: dict, lines: list[dict]) -> dict:
    """Register the requested model, hold it against the champion, and write and follow the decision."""
    from pipeline import tables
    client, spec = mlflow.MlflowClient(), settings.dataset(dataset)
    name, register = spec.registration.name, spec.registration
    by_sha256 = {version.sha256: version for version in _versions(client, name)}
    version = by_sha256.get(request["model_sha256"])
    if version is None:
        with tempfile.TemporaryDirectory() as temporary:
            bundles.write(Path(temporary) / "model", request)
            version = _register(mlflow, Path(temporary) / "model", settings)
    challenger = _with_files(client, version).folder
    bundles.check(challenger)
    if not lines:
        return _record(client, dataset, name, lines, version, promotion.PROMOTED, "the first version: its gates hold")
    champion = by_sha256[promotion.standing(lines)[CHAMPION]]
    try:
        found = promotion.evidence(_with_files(client, champion).folder, challenger, tables.read_split(dataset, "test"),
                                   f"{paths.processed(dataset)}/test.parquet", spec.data, register, request["primary_metric"],
                                   settings.seed)
    except DataError as error:              # the champion's files
        found = {"fault": str(error)}
    outcome, reason = promotion.judge(register.promote, found)
    return _record(client, dataset, name, lines, version, outcome, reason, rule=register.promote, figures=found)


def _register(mlflow, folder: Path, settings: Params, least: int = 1) -> Version:
    """Write the run of a bundle, and make a version of its model whose number is not below `least`."""
    client = mlflow.MlflowClient()
    request, metadata = (files.read_json(folder / name, bundles.MADE_BY) for name in ("request.json", "metadata.json"))
    dataset, sha256 = request["dataset"], request["model_sha256"]
    name = settings.dataset(dataset).registration.name      # the request may hold an earlier one
    experiment = mlflow.set_experiment(settings.dataset(dataset).experiment)
    for run in client.search_runs([experiment.experiment_id], f"tags.stage = 'register' AND tags.model_sha256 = '{sha256}'"):
        client.delete_run(run.info.run_id)              # cut short before it became a version
    logged_models = []

    def log(mlflow, settings):
        logged_models.append(tracking.log_model(mlflow, folder, metadata, bundles.smoke_rows(folder)))

    tracking.write_run(mlflow, tracking.register_run(request, folder, log), settings)
    model = logged_models[0]
    described = (folder / "model_card.md").read_text(encoding="utf-8")[:LONGEST_DESCRIPTION]
    tags = {key: str(request[key]) for key in ("dataset", "candidate", "data_hash", "split_hash", "synthetic", "primary_metric")}
    tags |= {**tracking.git_tags(), **shown(request), "sha256": sha256, "dvc_stage": f"{request['stage']}@{dataset}",
             "files_sha256": json.dumps(bundles.hashes(folder)), "bundle_sha256": files.digest(folder)}
    while True:
        entry = client.create_model_version(name, model.model_uri, run_id=model.run_id, tags=tags, description=described,
                                            model_id=model.model_id)
        if int(entry.version) >= least:
            return _version(entry)
        client.delete_model_version(name, entry.version)


def shown(request: dict) -> dict[str, str]:
    """Return a request's scores as text: the cross-validated ones with their deviation, those of the test rows with intervals."""
    def interval(value):
        return f" [{value['low']:.4g}, {value['high']:.4g}]" if value.get("low") is not None else ""

    texts = {f"cv_{metric}": f"{value['mean']:.4g} ± {value['std']:.2g}" for metric, value in request["cv"].items()
             if value["mean"] is not None}
    return texts | {f"test_{metric}": f"{value['value']:.4g}{interval(value)}" for metric, value in request["test"].items()
                    if value["value"] is not None}


def _register_again(mlflow, dataset: str, settings: Params, lines: list[dict]) -> list[Version]:
    """Register the lines' models that the registry lacks, tell of each on standard error, and return their versions.

    Each has the number that it had, unless MLflow remembers that as one of a deleted version: then the next.
    """
    name = settings.dataset(dataset).registration.name
    present, found = {version.sha256 for version in _versions(mlflow.MlflowClient(), name)}, []
    for sha256, line in {line["sha256"]: line for line in lines if line["sha256"] not in present}.items():
        number = line["version"]
        with tempfile.TemporaryDirectory() as temporary:
            if _find(line, Path(temporary) / "model"):
                found.append(_register(mlflow, Path(temporary) / "model", settings, least=number))
                renumbered = f", as version {found[-1].version}" if found[-1].version != number else ""
                print(f"{name}: version {number} registered again{renumbered}", file=sys.stderr)
            else:
                print(f"{name}: version {number} is lost: no model with its sha256 {sha256} lies in {paths.ARTIFACTS}, "
                      f"{paths.models(dataset, '')} or, of a commit, in DVC's cache", file=sys.stderr)
    return found


def _find(line: dict, folder: Path) -> bool:
    """Write the bundle of a model that a line of the log is about into a folder; tell whether its files were found."""
    for path in sorted(paths.ARTIFACTS.glob(f"*/models/*/artifacts/{MODEL_FOLDER}/request.json")):
        if line["sha256"] in path.read_text(encoding="utf-8") and files.digest(path.parent) == line["bundle_sha256"]:
            shutil.copytree(path.parent, folder)
            return True
    request = requested(line["dataset"])
    if request and request["model_sha256"] == line["sha256"]:
        bundles.write(folder, request)
        return True
    return _find_committed(line, folder)


def _find_committed(line: dict, folder: Path) -> bool:
    """Write the bundle of a model that a commit asked for, its files from DVC's cache or remote; tell whether they were found."""
    asked = paths.registration(line["dataset"])
    for commit in _said("git", "log", "--format=%H", "--", str(asked)).split():
        request = json.loads(_said("git", "show", f"{commit}:./{asked.as_posix()}") or "{}")
        if request.get("model_sha256") != line["sha256"]:
            continue
        with tempfile.TemporaryDirectory() as root:
            for output in (paths.models(line["dataset"], request["stage"]), paths.processed(line["dataset"]),
                           paths.metrics(line["dataset"], "quality")):
                (Path(root) / output).parent.mkdir(parents=True, exist_ok=True)
                _said(sys.executable, "-m", "dvc", "get", ".", output.as_posix(), "--rev", commit, "-o", str(Path(root) / output))
            if (Path(root) / paths.processed(line["dataset"])).is_dir():
                bundles.write(folder, request, Path(root))
                return True
    return False


def _said(*command: str) -> str:
    """Return what a command printed; nothing where it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""
    except FileNotFoundError:
        return ""


def requested(dataset: str) -> dict | None:
    """Return what metrics/registration/ asks for, None where that, or the model itself, is not there."""
    path = paths.registration(dataset)
    request = files.read_json(path, made_by=f"python register_model.py --dataset {dataset}") if path.is_file() else None
    if request is None:
        return None
    metadata = paths.models(dataset, request["stage"]) / request["candidate"] / "metadata.json"
    there = metadata.is_file() and files.read_json(metadata, bundles.MADE_BY).get("model_sha256") == request["model_sha256"]
    return request if there else None


def _record(client, dataset: str, name: str, lines: list[dict], version: Version, outcome: str, reason: str, **more) -> dict:
    """Write a decision into the registry, carry it out, and write it into the log; return its line."""
    before = _registered(client, name).aliases.get(CHAMPION)
    before = int(before) if before else None
    moved = outcome in (promotion.PROMOTED, promotion.ROLLED_BACK)
    line = promotion.following(lines, {
        "dataset": dataset, "name": name, "outcome": outcome, "version": version.version, "sha256": version.sha256,
        "bundle_sha256": version.tags["bundle_sha256"], "data_hash": version.data_hash, "from": before,
        "to": version.version if moved else before, "reason": reason[:LONGEST_REASON], **more,
        "git_commit": tracking.git_tags().get("git_commit")})
    client.set_registered_model_tag(name, _tag(line), promotion.text_of(line))
    _carry_out(client, dataset, name, [*lines, line])
    return line


def _carry_out(client, dataset: str, name: str, lines: list[dict]) -> None:
    """Bring the aliases, and while MLflow has them the stages, to what the lines say; then write the log."""
    registered, by_sha256 = _registered(client, name), {version.sha256: version for version in _versions(client, name)}
    standing = {alias: by_sha256[sha256].version for alias, sha256 in promotion.standing(lines).items() if sha256 in by_sha256}
    for alias in promotion.ALIASES:
        if alias not in standing and alias in registered.aliases:
            client.delete_registered_model_alias(name, alias)
        elif alias in standing and str(standing[alias]) != str(registered.aliases.get(alias)):
            client.set_registered_model_alias(name, alias, str(standing[alias]))
    if CHAMPION in standing and hasattr(client, "transition_model_version_stage"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)          # deprecated, and asked for by those who load by stage
            client.transition_model_version_stage(name, str(standing[CHAMPION]), "Production", archive_existing_versions=True)
    promotion.write(dataset, lines)


def _tag(line: dict) -> str:
    return f"{LINE_TAG}{line['number']:06}"


def verify(dataset: str, settings: Params) -> str:
    """Return what was found in one line; DataError where the log is not whole, or the registry is not what it says."""
    client, name = tracking.client(), settings.dataset(dataset).registration.name
    if _registered(client, name) is None:
        raise DataError(f"{name}: not in {tracking.tracking_uri()}; run `python register_model.py --dataset {dataset}`")
    lines, tagged = logged(client, dataset, name)
    if not tagged:
        raise DataError(f"{name}: nothing was decided on it; run `python register_model.py --dataset {dataset}`")
    behind = len(tagged) - len(lines)
    if behind not in (0, 1):
        raise DataError(f"{paths.promotions(dataset)}: has {len(lines)} lines, {name} in {tracking.tracking_uri()} has "
                        f"{len(tagged)}; run `make sync`, which writes the others")
    champion = _check_champion(client, dataset, name, [tagged, lines] if behind else [lines])
    _with_files(client, champion)
    cut_short = ", the last still to be carried out: run `make sync`" if behind else ""
    return (f"{name}: the log is whole, {len(tagged)} lines{cut_short}; @champion is version {champion.version}, with the files "
            f"that were registered")


def sync(settings: Params) -> dict[str, dict]:
    """Bring the registry to the promotion logs and the requests of all datasets; return {dataset: the log's new line}."""
    written = {}
    for dataset in settings.datasets:
        request = requested(dataset)
        if request or paths.promotions(dataset).is_file():
            line = bring(dataset, settings, request)
            written |= {dataset: line} if line else {}
    return written
