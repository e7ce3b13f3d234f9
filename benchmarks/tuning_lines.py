"""The lines of logs/tuning_quality.csv: one per table, split, budget and method."""

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

CSV = Path("logs/tuning_quality.csv")
OUTPUTS = Path("logs/tuning_quality")


@dataclass(frozen=True)
class Line:
    """What a method made of one split of a table.

    `budget` is 0 for a method that takes none; `seconds` are those of the fit, `bytes` those of the
    stored model, `thousand` the seconds of 1,000 predictions. `failure` says why there is no score,
    `clock` whether seconds are those that pass, `wall`, or those of the `processor`.
    """

    table: str
    half: str
    split: int
    budget: float
    method: str
    cores: int
    rows: int
    columns: int
    metric: str
    score: float | None = None
    seconds: float | None = None
    bytes: int | None = None
    thousand: float | None = None
    failure: str = ""
    clock: str = "wall"

    @property
    def key(self) -> tuple[str, int, float, str]:
        """Return what distinguishes a line."""
        return self.table, self.split, self.budget, self.method

    @property
    def output(self) -> Path:
        """Return the file of the outputs on the test rows, and of the rows' targets."""
        return OUTPUTS / f"{self.table}_{self.split}_{self.budget:g}_{self.method}.npz"


def read_lines() -> list[Line]:
    """Return the lines of the file, none where there is no file."""
    if not CSV.is_file():
        return []
    with open(CSV, newline="", encoding="utf-8") as stream:
        return [_line(row) for row in csv.DictReader(stream)]


def _line(row: dict[str, str]) -> Line:
    values: dict = dict(row)
    for name in ("split", "cores", "rows", "columns", "bytes"):
        values[name] = int(row[name]) if row[name] else None
    for name in ("budget", "score", "seconds", "thousand"):
        values[name] = float(row[name]) if row[name] else None
    return Line(**values)


def append_line(line: Line) -> None:
    """Add a line to the file."""
    is_new = not CSV.is_file()
    CSV.parent.mkdir(exist_ok=True)
    with open(CSV, "a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Line)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(line))
