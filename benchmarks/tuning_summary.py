"""The document on tuning's quality, docs/tuning_quality.md: tables and a picture of the lines."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.tuning_lines import Line
from benchmarks.tuning_tables import DEVELOPMENT, REPORT
from pipeline.project import files
from pipeline.scoring import bootstrap, metrics
from pipeline.scoring.bootstrap import Resampled
from pipeline.scoring.rows import Rows

OURS = "ours"
DOCUMENT = Path("docs/tuning_quality.md")
PICTURE = Path("docs/images/tuning_quality.png")
RESAMPLES = 200
SEED = 42
HEAD = """# How good tuned models are

What `python -m benchmarks.tuning_quality` measured, which also wrote this page: real tables, each
split into training and test rows up to three times, and for each method the same training rows,
seconds and cores. Ours is what `generate_data.py --new` proposes, with `--seconds`; the rivals have
their defaults. The tables are in two halves by the alphabet: one to develop the search on, one to
report on. What is not in the tables was not run.

- **mean rank**: 1 is the best of the methods in the table, on the test rows, over the splits that
  all of them have done.
- **normalised**: 1 for the best method of a split and 0 for the worst, on average.
- **we win, tie, lose**: tables, over their splits. A tie is a difference within one standard error
  of paired draws of the test rows.
- **seconds** are those of search and final models, **MB** those of the stored model, **ms** those
  of 1,000 predictions, each the median. Ours has scores, figures and reports in its seconds.
"""


@dataclass(frozen=True)
class Standing:
    """How a method did beside the others, and us beside it."""

    method: str
    rank: float
    normalised: float
    wins: int
    ties: int
    losses: int
    lines: list[Line]


def standings(lines: list[Line]) -> list[Standing]:
    """Return the methods that were measured with one budget, the best mean rank first.

    They are ranked on the splits of tables that all of them have done.
    """
    methods = sorted({line.method for line in lines})
    by_key = {(line.table, line.split, line.method): line for line in lines}
    splits = sorted({(line.table, line.split) for line in lines})
    shared = [
        (table, split)
        for table, split in splits
        if all((table, split, method) in by_key for method in methods)
    ]
    ranks: dict[str, list[float]] = {method: [] for method in methods}
    normalised: dict[str, list[float]] = {method: [] for method in methods}
    for table, split in shared:
        of_split = [by_key[table, split, method] for method in methods]
        goods = np.array([goodness(line) for line in of_split])
        lowest, highest = goods[np.isfinite(goods)].min(), goods.max()
        for method, good in zip(methods, goods):
            equals = np.sum(goods == good)
            ranks[method].append(1 + np.sum(goods > good) + (equals - 1) / 2)
            share = (good - lowest) / (highest - lowest) if highest > lowest else 1.0
            normalised[method].append(max(0.0, share))
    found = []
    for method in methods:
        wins, ties, losses = against(method, by_key)
        of_method = [by_key[table, split, method] for table, split in shared]
        rank, share = float(np.mean(ranks[method])), float(np.mean(normalised[method]))
        found.append(Standing(method, rank, share, wins, ties, losses, of_method))
    return sorted(found, key=lambda standing: standing.rank)


def goodness(line: Line) -> float:
    """Return a score that is better when it is higher; the worst of all where there is none."""
    if line.score is None:
        return -np.inf
    return metrics.sign(line.metric) * line.score


def against(method: str, lines: dict[tuple[str, int, str], Line]) -> tuple[int, int, int]:
    """Return the tables on which we win, tie and lose against a method, over their splits."""
    gains: dict[str, list[tuple[float, float]]] = {}
    for (table, split, name), line in lines.items():
        ours = lines.get((table, split, OURS))
        if name == method and ours is not None and method != OURS:
            gains.setdefault(table, []).append(gain(ours, line))
    counts = {"win": 0, "tie": 0, "loss": 0}
    for of_table in gains.values():
        mean = np.mean([value for value, _ in of_table])
        error = np.sqrt(np.sum([error**2 for _, error in of_table])) / len(of_table)
        verdict = "tie" if abs(mean) <= error else "win" if mean > 0 else "loss"
        counts[verdict] += 1
    return counts["win"], counts["tie"], counts["loss"]


def gain(ours: Line, other: Line) -> tuple[float, float]:
    """Return how much better we score than a method, and the standard error of the difference."""
    if ours.score is None or other.score is None:
        return goodness(ours) - goodness(other) if ours.score != other.score else 0.0, 0.0
    difference = bootstrap.difference(_resampled(ours), _resampled(other))
    return difference.value, float(np.nanstd(difference.draws, ddof=1))


def _resampled(line: Line) -> Resampled:
    with np.load(line.output) as content:
        rows = Rows(content["y"], content["output"])
    return bootstrap.resampled(line.metric, rows, SEED, RESAMPLES)


def write_document(lines: list[Line]) -> None:
    """Write the page and its picture."""
    sections = [HEAD]
    drawn: list[tuple[float, list[Standing]]] = []
    for half in (REPORT, DEVELOPMENT):
        of_half = [line for line in lines if line.half == half]
        budgets = sorted({line.budget for line in of_half if line.method == OURS})
        for budget in budgets:
            chosen = [line for line in of_half if line.budget in (budget, 0.0)]
            found = standings(chosen)
            sections.append(_section(half, budget, found))
            if half == REPORT:
                drawn.append((budget, found))
                sections.append(_scores(chosen))
    if not drawn:
        return
    sections.insert(1, f"![Mean rank by method and budget]({PICTURE.relative_to('docs')})\n")
    files.write_text(DOCUMENT, "\n".join(sections))
    _draw(drawn)


def _section(half: str, budget: float, found: list[Standing]) -> str:
    """Return the table of one half and budget."""
    ours = next(standing for standing in found if standing.method == OURS)
    splits = {(line.table, line.split) for line in ours.lines}
    tables = {table for table, _ in splits}
    cores = max(line.cores for line in ours.lines) if ours.lines else 0
    clocks = sorted({line.clock for line in ours.lines})
    rows = [
        f"## The {half} half, {budget:g} s\n",
        f"{len(splits)} splits of {len(tables)} tables, {cores} "
        f"core{'s' if cores > 1 else ''}, seconds by the clock of the {' and '.join(clocks)}.\n",
        "| method | mean rank | normalised | we win | tie | lose | seconds | MB | ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        verdicts = ["", "", ""]
        if one.method != OURS:
            verdicts = [str(count) for count in (one.wins, one.ties, one.losses)]
        cells = [
            one.method,
            f"{one.rank:.2f}",
            f"{one.normalised:.2f}",
            *verdicts,
            _median([line.seconds for line in one.lines], 1, 0),
            _median([line.bytes for line in one.lines], 1e-6, 1),
            _median([line.thousand for line in one.lines], 1000, 0),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _median(values: list[float | None] | list[int | None], unit: float, digits: int) -> str:
    known = [value for value in values if value is not None]
    return f"{np.median(known) * unit:,.{digits}f}" if known else ""


def _scores(lines: list[Line]) -> str:
    """Return the table of mean scores on the test rows."""
    methods = sorted({line.method for line in lines}, key=lambda name: (name != OURS, name))
    heads = ["table", "metric", *methods]
    rows = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for table in sorted({line.table for line in lines}):
        of_table = [line for line in lines if line.table == table]
        cells = [table, of_table[0].metric]
        for method in methods:
            scores = [
                line.score for line in of_table if line.method == method and line.score is not None
            ]
            cells.append(f"{np.mean(scores):.5g}" if scores else "")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _draw(found: list[tuple[float, list[Standing]]]) -> None:
    """Draw the mean ranks, a panel for each budget."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(found), 3.5), layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (budget, of_budget) in zip(panels, found):
        worst_first = of_budget[::-1]
        names = [standing.method for standing in worst_first]
        colours = ["tab:blue" if name == OURS else "tab:gray" for name in names]
        axes.barh(names, [standing.rank for standing in worst_first], color=colours)
        axes.set(title=f"{budget:g} s", xlabel="mean rank on the test rows, 1 is best")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=100, metadata={"Software": None})
