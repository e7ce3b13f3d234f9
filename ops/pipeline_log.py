"""What a pipeline has done so far, stage by stage, and its record for MLflow once all is done.

A pipeline that failed or was stopped goes on with the next one: they are recorded as one.
"""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline.project import files, paths
from pipeline.project.params import Params
from pipeline.tracking import git
from pipeline.tracking.recorded import pipeline_runs
from pipeline.tracking.recorded.pipeline_runs import FinishedPipeline
from pipeline.tracking.recorded.stage_runs import STAGE_RUNS

UNDER_WAY = Path(".dvc/tmp/pipeline_under_way.json")


def note(stage: str, seconds: float) -> None:
    """Note that a stage such as train@iris has run, in so many seconds."""
    known = _under_way()
    known["seconds"][stage] = round(seconds, 1)
    UNDER_WAY.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(UNDER_WAY, json.dumps(known, indent=2))


def _under_way() -> dict[str, Any]:
    """Return when the pipeline under way was started, and the seconds of the stages it has run."""
    try:
        known = json.loads(UNDER_WAY.read_text(encoding="utf-8"))
        return {"started": str(known["started"]), "seconds": dict(known["seconds"])}
    # none is under way, or the file is not as `note` writes it
    except (OSError, ValueError, LookupError, TypeError):
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return {"started": now, "seconds": {}}


def finish(settings: Params) -> None:
    """Write what the pipeline did for each dataset that it was about; nothing where none ran."""
    known = _under_way()
    seconds: dict[str, float] = known["seconds"]
    if not seconds:
        return
    of_datasets = {stage.partition("@")[2] for stage in seconds}
    # where only stages ran that look at all datasets, the pipeline was about all
    datasets = [name for name in settings.datasets if name in of_datasets] or settings.datasets
    for dataset in datasets:
        own = seconds_of(dataset, seconds)
        runs = [
            run.identity
            for stage, its_runs in STAGE_RUNS.items()
            if stage in own
            for run in its_runs(dataset, settings)
        ]
        done = FinishedPipeline(known["started"], git.head(), files.digest(paths.PARAMS), own, runs)
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
