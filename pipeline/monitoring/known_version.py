"""What is known of a version that served rows: its metadata and, while at hand, its training."""

from dataclasses import dataclass
from typing import Any

from pipeline.data.kinds import CATEGORY
from pipeline.drift.roles import Roles, roles_of_model
from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.registry import versions
from pipeline.training import expected
from pipeline.training.results.content import Candidate
from pipeline.training.results.reading import read_candidates, read_stage


@dataclass(frozen=True)
class KnownVersion:
    """A served version: what stands in its `metadata.json` and `train_stats.json`.

    `candidate` are its scores as its training wrote them, `primary_metric` the metric by which it
    was chosen, and `expected` the scores to expect of it: those out of fold, where it was chosen by
    them less what that flatters. None where another training has taken the place of its own.
    """

    name: str
    metadata: dict[str, Any]
    statistics: dict[str, Any]
    candidate: Candidate | None = None
    primary_metric: str | None = None
    expected: dict[str, float | None] | None = None

    @property
    def classes(self) -> list[str] | None:
        """The class labels in the order of the probabilities; None for regression."""
        return self.metadata["classes"]

    @property
    def target(self) -> str:
        """The column that the model predicts."""
        return self.metadata["target"]

    @property
    def roles(self) -> Roles:
        """The roles of the columns in its rows."""
        return roles_of_model(self.metadata["task"], self.target, self.classes)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that hold categories, whatever their values look like."""
        inputs = self.metadata["inputs"]
        names = [name for name, kind in inputs.items() if kind == CATEGORY]
        if self.classes:
            names += [name for name in (self.target, self.roles.label) if name is not None]
        return tuple(names)

    def check_training_rows(self, dataset: str) -> None:
        """Raise DataError where the prepared training rows are not those of this version."""
        if not _learned_from_prepared_rows(dataset, self.metadata):
            raise DataError(
                f"{paths.processed(dataset)}: {self.name} was trained on other rows than these, so "
                f"that there is nothing to compare with; bring its data back (`git checkout` of "
                f"its commit, `dvc checkout`) or serve a model of these rows"
            )


def _learned_from_prepared_rows(dataset: str, metadata: dict[str, Any]) -> bool:
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    return metadata["split_hash"] == quality["split_hash"]


def read_known_version(dataset: str, settings: Params, model: str, number: int) -> KnownVersion:
    """Return what is known of a registered version."""
    folder = versions.resolve(dataset, settings, number).folder
    made_by = f"python register_model.py --dataset {dataset}"
    metadata = files.read_json(folder / "metadata.json", made_by)
    statistics = files.read_json(folder / "train_stats.json", made_by)
    name = f"{model} version {number}"
    trained = read_stage(dataset, metadata["stage"])
    candidate = trained["candidates"].get(metadata["candidate"]) if trained else None
    if trained and candidate and candidate["model_sha256"] == metadata["model_sha256"]:
        return KnownVersion(
            name,
            metadata,
            statistics,
            candidate,
            trained["primary_metric"],
            _expected(dataset, settings, metadata, candidate),
        )
    return KnownVersion(name, metadata, statistics)


def _expected(
    dataset: str, settings: Params, metadata: dict[str, Any], candidate: Candidate
) -> dict[str, float | None]:
    """Return the scores to expect of a candidate; only the best one was chosen by its own."""
    if not _learned_from_prepared_rows(dataset, metadata):
        return candidate["cv_oof"]
    standing = read_candidates(dataset)
    if standing.best() != metadata["candidate"] or not expected.is_known(dataset, standing):
        return candidate["cv_oof"]
    return expected.expected_scores(dataset, settings.dataset(dataset), standing, settings.seed)
