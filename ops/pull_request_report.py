"""Report in Markdown how the results here differ from those of another commit.

It shows models, gates, drift, data and settings.

    python -m ops.pull_request_report --base main
    python -m ops.pull_request_report --base main --output report.md \\
        --link "run=https://ci.example.org/1"

Reads   params.yaml, metrics/; the same files as the other commit has them
Writes  the report to standard output, or to --output
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.commit_results import Results, Settings, commit_of, read_at, read_here
from ops.figure_changes import (
    BETTER,
    NEW,
    NONE,
    UNCHANGED,
    WORSE,
    Best,
    best,
    best_of,
    change,
    move,
    within_interval,
)
from ops.github import LIMIT, MARK
from pipeline import command
from pipeline.project import files, markup, paths
from pipeline.project.errors import DataError
from pipeline.project.rounding import number_text
from pipeline.report.comparison import DatasetResult
from pipeline.scoring.gates import Verdict, demand_text, score_text

PASS, FAIL = "✅ pass", "❌ fail"
ROOM_FOR_LAST_LINE = 100  # characters


@dataclass(frozen=True)
class Section:
    """A table of the report; without rows it is left out."""

    title: str
    head: list[str]
    rows: list[list[Any]]


def report(before: Results, now: Results, head: str) -> str:
    """Return the report as Markdown, no longer than a comment may be; `head` names the base."""
    lines = [MARK, "## Pipeline report", "", summary(before, now), "", head]
    for section in sections(before, now):
        if section.rows:
            lines += ["", f"### {section.title}", "", *table(section.head, section.rows)]
    return cut(lines)


def compared_with(base: str, commit: str, links: dict[str, str]) -> str:
    """Return the line that names the other commit, and links."""
    parts = [f"Compared with {markup.markdown(base)} ({commit[:7]})."]
    parts += [f"[{name}]({address})" for name, address in links.items()]
    return " ".join(parts)


def sections(before: Results, now: Results) -> list[Section]:
    """Return the report's tables, in their order."""
    return [
        Section(
            "Best models",
            ["dataset", "best model", "metric", "cross-validation", "test", "data"],
            best_models(before, now),
        ),
        Section("Gates", ["", "dataset", "gate", "value", "before"], gates(before, now)),
        Section(
            "Drift of the test split",
            ["dataset", "verdict", "columns that drifted", "before"],
            drift(before, now),
        ),
        Section("Settings", ["setting", "before", "now"], settings(before, now)),
        Section("Data", ["dataset", "", "before", "now"], data(before, now)),
        Section(
            "Other candidates, cross-validation",
            ["dataset", "candidate", "metric", "value"],
            candidates(before, now),
        ),
    ]


def summary(before: Results, now: Results) -> str:
    """Return the report in one sentence."""
    moves = [
        move(best(before.datasets.get(name)), best_of(result))
        for name, result in now.datasets.items()
    ]
    counts = []
    for word in (BETTER, WORSE, NEW, UNCHANGED):
        if word in moves:
            counts.append(f"{moves.count(word)} {word}")
    passed = []
    for verdicts in now.gates.values():
        passed += [verdict.passed for verdict in verdicts]
    changed = len(settings(before, now))
    return (
        f"**{len(moves)} datasets: {', '.join(counts) or 'none'}; "
        f"{sum(passed)} of {len(passed)} gates pass; "
        f"{changed or 'no'} {'setting' if changed == 1 else 'settings'} changed.**"
    )


def best_models(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per dataset, also for those that were removed."""
    rows = []
    for name, result in now.datasets.items():
        new, old = best_of(result), best(before.datasets.get(name))
        rows.append([name, *_best_cells(old, new), "synthetic" if result.synthetic else "real"])
    for name in before.datasets:
        if name not in now.datasets:
            rows.append([name, "removed", NONE, NONE, NONE, NONE])
    return rows


def _best_cells(old: Best | None, new: Best) -> list[str]:
    if old is None or old.metric != new.metric:
        return [new.name, new.metric, number_text(new.cv), number_text(new.test)]
    model = new.name if old.name == new.name else f"{old.name} → {new.name}"
    cv = change(old.cv, new.cv, new.metric)
    test = change(old.test, new.test, new.metric)
    return [model, new.metric, cv, f"{test}{within_interval(old, new)}"]


def gates(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per gate, those that fail first."""
    rows = []
    for name, verdicts in now.gates.items():
        old = {score_text(gate): gate for gate in before.gates.get(name, [])}
        for gate in verdicts:
            was = old.get(score_text(gate))
            words = f"{score_text(gate)} ({demand_text(gate)})"
            row = [_verdict(gate), name, words, number_text(gate.value)]
            rows.append(
                [*row, f"{number_text(was.value)} {_verdict(was)}" if was else "no such gate"]
            )
    return sorted(rows, key=lambda row: row[0] == PASS)


def _verdict(gate: Verdict) -> str:
    return PASS if gate.passed else FAIL


def drift(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per dataset: whether its test split differs from its training split."""
    rows = []
    for name, result in now.drift.items():
        drifted = ", ".join(result["drifted"]) or "none"
        was = before.drift[name]["verdict"] if name in before.drift else NONE
        rows.append([name, result["verdict"], drifted, was])
    return rows


def settings(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per setting that is not as it was."""
    rows = []
    for key in dict.fromkeys([*before.settings, *now.settings]):
        one, other = _setting(before.settings, key), _setting(now.settings, key)
        if one != other:
            rows.append([key, one, other])
    return rows


def _setting(side: Settings, key: str) -> str:
    return json.dumps(side[key], ensure_ascii=False) if key in side else NONE


def data(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per figure of a table that is not as it was."""
    rows = []
    for name, result in now.datasets.items():
        if name not in before.datasets:
            continue
        old, new = _data_figures(before.datasets[name]), _data_figures(result)
        for title, figure in new.items():
            if old[title] != figure:
                rows.append([name, title, old[title], figure])
    return rows


def _data_figures(result: DatasetResult) -> dict[str, Any]:
    return {
        "source": result.source,
        "md5": result.data_hash,
        "training and test rows": f"{result.rows.train} + {result.rows.test}",
        "features": result.features,
    }


def candidates(before: Results, now: Results) -> list[list[Any]]:
    """Return a row per candidate, the best ones aside, that is new, gone or scores differently."""
    rows = []
    for name, result in now.datasets.items():
        metric = result.primary_metric
        old = _cv_means(before.datasets[name], metric) if name in before.datasets else {}
        new = _cv_means(result, metric)
        for candidate in dict.fromkeys([*new, *old]):
            words = _candidate_change(old, new, candidate, metric)
            if words and candidate != result.best.name:
                rows.append([name, candidate, metric, words])
    return rows


def _cv_means(result: DatasetResult, metric: str) -> dict[str, float | None]:
    means = {}
    for name, candidate in result.candidates.items():
        means[name] = candidate.cv[metric].mean if metric in candidate.cv else None
    return means


def _candidate_change(
    old: dict[str, float | None], new: dict[str, float | None], candidate: str, metric: str
) -> str | None:
    """Return how a candidate's score changed, None where it did not."""
    if candidate not in old:
        return f"{number_text(new[candidate])}, new"
    if candidate not in new:
        return f"{number_text(old[candidate])}, removed"
    if old[candidate] == new[candidate]:
        return None
    return change(old[candidate], new[candidate], metric)


def table(head: list[str], rows: list[list[Any]]) -> list[str]:
    """Return a Markdown table; the text of a cell stays text."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for row in rows:
        cells = [markup.markdown(cell) for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def cut(lines: list[str], limit: int = LIMIT) -> str:
    """Return as many whole lines as fit, and how many are left out."""
    text = "\n".join(lines) + "\n"
    if len(text) <= limit:
        return text
    kept: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if length > limit - ROOM_FOR_LAST_LINE:
            break
        kept.append(line)
    left_out = len(lines) - len(kept)
    last = f"{left_out} more lines are left out; the whole is among the run's artifacts."
    return "\n".join([*kept, "", last]) + "\n"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--base", required=True, metavar="REV", help="the commit, branch or tag to compare with"
    )
    parser.add_argument("--output", metavar="FILE", help="write the report there")
    parser.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="a link to show; may be given again",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    if not paths.COMPARISON.is_file():
        raise DataError(f"{paths.COMPARISON} is not there; run `make pipeline` first")
    command.settings()  # which declare the user's own metrics
    commit = commit_of(args.base)
    links = dict(link.partition("=")[::2] for link in args.link)
    head = compared_with(args.base, commit, links)
    text = report(read_at(commit), read_here(), head)
    if args.output:
        files.write_text(args.output, text)
    else:
        print(text, end="")


if __name__ == "__main__":
    command.run(main)
