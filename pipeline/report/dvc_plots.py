"""What the report's pictures and `dvc plots show` draw: curves, points and bars as numbers, from the stored predictions."""

import csv
from pathlib import Path

from pipeline.project import files, rounding
from pipeline.report import charts


def write_plots(folder: Path, dataset: str, result: dict, drawn: dict) -> None:
    """Write the files that `dvc plots show` draws: each candidate's scores, the curves, and what was predicted for what."""
    metric = result["primary_metric"]
    scores = {
        name: (one["cv"][metric]["mean"], one["cv"][metric]["std"])
        for name, one in result["candidates"].items()
    }
    _write(
        folder / "scores" / f"{dataset}.csv",
        ["candidate", "metric", "low", "high", "cv"],
        [
            [name, metric, rounding.significant(mean - std), rounding.significant(mean + std), mean]
            for name, (mean, std) in scores.items()
            if mean is not None
        ],
    )
    _write(
        folder / "curves" / f"{dataset}.csv",
        ["kind", "curve", "x", "y"],
        [
            [kind, one["name"], *point]
            for kind in charts.CURVES
            for one in drawn.get(kind, [])
            for point in one["points"]
        ],
    )
    _write(
        folder / "tuning" / f"{dataset}.csv",
        ["trial", "model", "value", "best"],
        charts.best_so_far(drawn.get("course", []), metric),
    )
    _write(
        folder / "outcomes" / f"{dataset}.csv",
        ["actual", "predicted", "rows"],
        drawn.get("outcomes", []),
    )


def _write(path: Path, header: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        files.replacing(path) as partial,
        open(partial, "w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
