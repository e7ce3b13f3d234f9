"""The agreement of the registry with the promotion log, and how it is restored.

The registry holds the log's lines as tags. A decision is written there first, then carried out,
and written into the file last: so a line of the file has been carried out, a decision that was cut
short is carried out by the next command, and either of the two restores the other.
"""

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from pipeline.project import paths
from pipeline.project.errors import DataError
from pipeline.registry import bundles, promotion_log, versions
from pipeline.registry.promotion_log import Line
from pipeline.registry.versions import CHAMPION, RegisteredModel, Version
from pipeline.tracking import store

LINE_TAG = "promotion."  # of a registered model: the log's lines


def catch_up(mlflow: Any, model: RegisteredModel, experiment: str) -> list[Line]:
    """Return the log's lines, once the registry and the file hold them and the aliases follow them.

    A lost log is written from the registry, a lost registry or champion from the log.
    """
    if model.entry() is None:
        model.client.create_registered_model(model.name, tags={"dataset": model.dataset})
    in_file, in_registry = logged_lines(model)
    if len(in_registry) > len(in_file):
        carry_out(model, in_registry)
        return in_registry
    if len(in_file) > len(in_registry):
        register_again(mlflow, model, experiment, in_file)
        carry_out(model, in_file)
        for line in in_file[len(in_registry) :]:
            tag_line(model, line)
    elif in_file:
        # the champion was deleted, in MLflow's interface perhaps
        champion = promotion_log.aliases_after(in_file).get(CHAMPION)
        about_champion = [line for line in in_file if line.entry.sha256 == champion]
        if register_again(mlflow, model, experiment, about_champion):
            carry_out(model, in_file)
    return in_file


def logged_lines(model: RegisteredModel) -> tuple[list[Line], list[Line]]:
    """Return the lines in the log's file, and those in the registry.

    Raises DataError where they contradict each other; one of them may have more than the other.
    """
    in_file = promotion_log.read_log(model.dataset)
    tags = model.entry().tags
    texts = [tags[key] for key in sorted(tags) if key.startswith(LINE_TAG)]
    in_registry = promotion_log.checked_lines(texts, f"{model.name}: tags {LINE_TAG}*")
    for line, other in zip(in_file, in_registry):
        if line != other:
            raise DataError(
                f"{paths.promotions(model.dataset)}: line {line.number} is not that of "
                f"{model.name} in {store.tracking_uri()}; restore the file, or set "
                f"{store.TRACKING_URI} to its store"
            )
    return in_file, in_registry


def tag_line(model: RegisteredModel, line: Line) -> None:
    """Write a line into the registry."""
    model.client.set_registered_model_tag(model.name, f"{LINE_TAG}{line.number:06}", line.text)


def carry_out(model: RegisteredModel, lines: list[Line]) -> None:
    """Move the aliases, and MLflow's stage while it has one, as the lines say; write the log."""
    numbers = {version.sha256: version.version for version in model.versions()}
    wanted = {
        alias: str(numbers[sha256])
        for alias, sha256 in promotion_log.aliases_after(lines).items()
        if sha256 in numbers
    }
    present = {alias: str(number) for alias, number in model.entry().aliases.items()}
    for alias in promotion_log.ALIASES:
        if alias in wanted and wanted[alias] != present.get(alias):
            model.client.set_registered_model_alias(model.name, alias, wanted[alias])
        elif alias in present and alias not in wanted:
            model.client.delete_registered_model_alias(model.name, alias)
    if CHAMPION in wanted and hasattr(model.client, "transition_model_version_stage"):
        with warnings.catch_warnings():
            # stages are deprecated, and still used by those who load a model by its stage
            warnings.simplefilter("ignore", FutureWarning)
            model.client.transition_model_version_stage(
                model.name, wanted[CHAMPION], "Production", archive_existing_versions=True
            )
    promotion_log.write_log(model.dataset, lines)


def check_champion(model: RegisteredModel, lines: list[Line], *more: list[Line]) -> Version | None:
    """Return the champion, None where no version was promoted yet.

    Raises DataError where it is not the one after these lines or other ones.
    """
    champions = [version for version in model.versions() if CHAMPION in version.aliases]
    champion = champions[0] if champions else None
    present = champion.sha256 if champion else None
    if present in [promotion_log.aliases_after(log).get(CHAMPION) for log in (lines, *more)]:
        return champion
    said = promotion_log.aliases_after(lines).get(CHAMPION, "")
    decision = promotion_log.last_decision(lines, said)
    raise DataError(
        f"{model.name}: @{CHAMPION} is {f'version {champion.version}' if champion else 'gone'}, "
        f"the promotion log says {f'version {decision.version}' if decision else 'none'}: it was "
        f"moved by hand, or its files are lost; `python rollback.py --dataset {model.dataset} "
        f"--to N` settles it"
    )


def register_again(
    mlflow: Any, model: RegisteredModel, experiment: str, lines: list[Line]
) -> list[Version]:
    """Register those models of the lines that the registry lacks, and return their versions.

    Each is reported on standard error. It has the number that it had, unless MLflow remembers that
    as one of a deleted version: then the next.
    """
    present = {version.sha256 for version in model.versions()}
    lost = {line.entry.sha256: line.entry for line in lines if line.entry.sha256 not in present}
    restored = []
    for sha256, entry in lost.items():
        origin = f"{model.name}: version {entry.version}"
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            if not bundles.restore(folder, model.dataset, sha256, entry.bundle_sha256):
                print(
                    f"{origin} is lost: no model with its sha256 {sha256} lies in "
                    f"{paths.ARTIFACTS}, {paths.models(model.dataset, '')} or, of a commit, in "
                    f"DVC's cache",
                    file=sys.stderr,
                )
                continue
            version = versions.create_version(mlflow, model, experiment, folder, entry.version)
        renumbered = f", as version {version.version}" if version.version != entry.version else ""
        print(f"{origin} registered again{renumbered}", file=sys.stderr)
        restored.append(version)
    return restored


def verify(model: RegisteredModel) -> str:
    """Return in one line that the log is whole, and the champion the one it says, with its files.

    Raises DataError with the first fault. The last line may still have to be carried out.
    """
    register_first = f"run `python register_model.py --dataset {model.dataset}`"
    if model.entry() is None:
        raise DataError(f"{model.name}: not in {store.tracking_uri()}; {register_first}")
    in_file, in_registry = logged_lines(model)
    if not in_registry:
        raise DataError(f"{model.name}: nothing was decided on it; {register_first}")
    behind = len(in_registry) - len(in_file)
    if behind not in (0, 1):
        raise DataError(
            f"{paths.promotions(model.dataset)}: has {len(in_file)} lines, {model.name} in "
            f"{store.tracking_uri()} has {len(in_registry)}; run `make sync`, which writes the "
            f"others"
        )
    champion = check_champion(model, in_registry, in_file)
    cut_short = ", the last still to be carried out: run `make sync`" if behind else ""
    whole = f"{model.name}: the log is whole, {len(in_registry)} lines{cut_short}"
    if champion is None:
        return f"{whole}; no version was promoted yet"
    model.bundle(champion)
    return (
        f"{whole}; @{CHAMPION} is version {champion.version}, with the files that were registered"
    )
