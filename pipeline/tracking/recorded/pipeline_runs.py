"""The run of a whole pipeline: the commit, the settings, seconds per stage; its stages' runs below.

What a pipeline did lies in a file for each dataset, so that `make sync` can write the run again.
"""

from dataclasses import asdict, dataclass

from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking.runs import Run, params_text

PIPELINE = "pipeline"  # the stage and the name of its run


@dataclass(frozen=True)
class FinishedPipeline:
    """What a pipeline did for one dataset: seconds by stage, and the runs that are of its results.

    `commit` is None outside a git repository, `runs` are identities.
    """

    started: str
    commit: str | None
    params_sha256: str
    seconds: dict[str, float]
    runs: list[str]


def write(dataset: str, done: FinishedPipeline) -> None:
    """Write what a pipeline did for a dataset, in place of what the one before it did."""
    files.write_json(paths.finished_pipeline(dataset), asdict(done))


def pipeline_runs(dataset: str, settings: Params) -> list[Run]:
    """Return the run of the last pipeline that finished here for a dataset."""
    path = paths.finished_pipeline(dataset)
    if not path.is_file():
        return []
    done = FinishedPipeline(**files.read_json(path, made_by="make pipeline"))
    metrics = {f"seconds_{stage}": seconds for stage, seconds in done.seconds.items()}
    has_its_params = files.digest(paths.PARAMS) == done.params_sha256
    run = Run(
        dataset,
        PIPELINE,
        PIPELINE,
        params=params_text({"commit": done.commit, "params_sha256": done.params_sha256}),
        metrics={**metrics, "seconds": sum(done.seconds.values())},
        tags={"started": done.started},
        artifacts=[paths.PARAMS] if has_its_params else [],
        below=done.runs,
    )
    return [run]
