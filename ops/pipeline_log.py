"""What a pipeline has done so far, stage by stage, and its record for MLflow once all is done.

A pipeline that failed or was stopped goes on with the next one: they are recorded as one.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking import git
from pipeline.tracking.recorded import pipeline_runs
from pipeline.tracking.recorded.pipeline_runs import FinishedPipeline
from pipeline.tracking.recorded.stage_runs import STAGE_RUNS

UNDER_WAY = Path(".dvc/tmp/pipeline_under_way.json")


@dataclass(frozen=True)
class UnderWay:
    """When a pipeline was started, and the seconds of the stages that it has run."""

    started: str
    seconds: dict[str, float]


def note(stage: str, seconds: float) -> None:
    """Note that a stage such as train@iris has just run, in so many seconds."""
    known = under_way()
    if known is None:
        started = datetime.now(timezone.utc) - timedelta(seconds=seconds)
        known = UnderWay(started.isoformat(timespec="seconds"), {})
    known.seconds[stage] = round(seconds, 1)
    UNDER_WAY.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(UNDER_WAY, json.dumps(asdict(known), indent=2))


def under_way() -> UnderWay | None:
    """Return the pipeline under way; None where no stage has run since the last one was finished.

    A file that is not as `note` writes it counts as none.
    """
    try:
        known = json.loads(UNDER_WAY.read_text(encoding="utf-8"))
        return UnderWay(str(known["started"]), dict(known["seconds"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def finish(settings: Params) -> None:
    """Write what the pipeline did for each dataset that it was about; nothing where none ran."""
    known = under_way()
    if known is None:
        return
    of_datasets = {stage.partition("@")[2] for stage in known.seconds}
    # where only stages ran that look at all datasets, the pipeline was about all
    datasets = [name for name in settings.datasets if name in of_datasets] or settings.datasets
    for dataset in datasets:
        own = seconds_of(dataset, known.seconds)
        runs = [
            run.identity
            for stage, its_runs in STAGE_RUNS.items()
            if stage in own
            for run in its_runs(dataset, settings)
        ]
        done = FinishedPipeline(known.started, git.head(), files.digest(paths.PARAMS), own, runs)
        pipeline_runs.write(dataset, done)
    UNDER_WAY.unlink(missing_ok=True)


def seconds_of(dataset: str, seconds: dict[str, float]) -> dict[str, float]:
    """Return the seconds by stage of one dataset's stages and of those that look at all."""
    own = {}
    for name, value in seconds.items():
        stage, _, of = name.partition("@")
        if of in ("", dataset):
            own[stage] = value
    return own
