"""How long stages took when they last ran here, and how long the rest of a run may take."""

import heapq
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.project.files import write_text

# of this machine, so beside DVC's own temporary files
TIMES = Path(".dvc/tmp/stage_seconds.json")


def read() -> dict[str, float]:
    """Return the seconds of each stage that has run here; none where the file cannot be read."""
    try:
        content = json.loads(TIMES.read_text(encoding="utf-8"))
        return {str(stage): float(seconds) for stage, seconds in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write(seconds: Mapping[str, float]) -> None:
    """Write the seconds of each stage."""
    TIMES.parent.mkdir(parents=True, exist_ok=True)
    rounded = {stage: round(seconds[stage], 1) for stage in sorted(seconds)}
    write_text(TIMES, json.dumps(rounded, indent=2))


def seconds_left(
    needs: Mapping[str, set[str]],
    waiting: Sequence[str],
    running: Mapping[str, float],
    known: Mapping[str, float],
    jobs: int,
) -> float | None:
    """Return how long the stages that run and wait may take; None where one has never run here.

    `running` are the seconds that each has run so far. The stages are started as the scheduler
    does, each with the seconds it took last time; one that takes longer is taken to end now.
    """
    if not all(stage in known for stage in [*waiting, *running]):
        return None
    ends = [(max(0.0, known[stage] - since), stage) for stage, since in running.items()]
    heapq.heapify(ends)
    left = list(waiting)
    now = 0.0
    while left or ends:
        unfinished = {*left, *(stage for _, stage in ends)}
        ready = [stage for stage in left if not needs[stage] & unfinished]
        for stage in ready[: jobs - len(ends)]:
            left.remove(stage)
            heapq.heappush(ends, (now + known[stage], stage))
        now, _ = heapq.heappop(ends)
    return now


def in_words(seconds: float) -> str:
    """Return seconds as a person says them: 40 s, 3 min, 1 h 20 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
