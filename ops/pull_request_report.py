"""Tell in Markdown how the results here differ from those of another commit: models, gates, drift, data and settings.

    python -m ops.pull_request_report --base main
    python -m ops.pull_request_report --base main --output report.md --link "run=https://ci.example.org/1"

Reads   params.yaml, metrics/; the same files as the other commit has them
Writes  the report to standard output, or to --output
"""

import json
from pathlib import Path

from ops.github import LIMIT, MARK
from pipeline import command
from pipeline.project import files, paths, rounding
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import gates, metrics
from pipeline.tracking.git import git

NONE, MISSING = "–", object()
VERDICT = {True: "✅ pass", False: "❌ fail"}
DATA_FIGURES = {
    "source": lambda result: result["source"],
    "md5": lambda result: result["data_hash"],
    "training and test rows": lambda result: (
        f"{result['rows']['train']} + {result['rows']['test']}"
    ),
    "features": lambda result: result["features"],
}


# what is compared


def read_here() -> dict:
    """Return the results and settings of the working tree."""
    names = [paths.PARAMS, *sorted(paths.METRICS.rglob("*.json"))]
    return results({name.as_posix(): name.read_text(encoding="utf-8") for name in names})


def read_at(revision: str) -> dict:
    """Return the results and settings as a commit has them."""
    commit = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise UsageError(f"--base {revision}: no such commit here; fetch it or name another")
    names = git(
        "ls-tree",
        "-r",
        "--name-only",
        commit,
        "--",
        paths.PARAMS.as_posix(),
        paths.METRICS.as_posix(),
    ).splitlines()
    return {"commit": commit, **results({name: git("show", f"{commit}:{name}") for name in names})}


def results(texts: dict[str, str]) -> dict:
    """Return {params: flat settings, datasets: the comparison, gates and drift: one each per dataset} of the texts of files."""
    from ruamel.yaml import YAML

    found = {"params": {}, "datasets": {}, "gates": {}, "drift": {}}
    for name, text in texts.items():
        path = Path(name)
        try:
            content = (
                YAML(typ="safe", pure=True).load(text) if path == paths.PARAMS else json.loads(text)
            )
        except ValueError as error:
            raise DataError(
                f"{name} is no whole JSON file ({error}); run `make pipeline`"
            ) from None
        if path == paths.PARAMS:
            found["params"] = dict(flat(content))
        elif path == paths.COMPARISON:
            found["datasets"] = content["datasets"]
        elif path.parent == paths.VALIDATION:
            found["gates"][path.stem] = content
        elif path == paths.metrics(path.parent.name, "drift"):
            found["drift"][path.parent.name] = content
    return found


def flat(block, key: str = ""):
    """Yield the settings of a block with their full names; a list or an empty block is one value."""
    if isinstance(block, dict) and block:
        for name, value in block.items():
            yield from flat(value, f"{key}.{name}" if key else name)
    else:
        yield key, block


# how it is told


def report(before: dict, now: dict, base: str, links: dict[str, str] | None = None) -> str:
    """Return the report as Markdown, at most as long as a comment may be."""
    lines = [
        MARK,
        "## Pipeline report",
        "",
        summary(before, now),
        "",
        f"Compared with {base}{f' ({commit[:7]})' if (commit := before.get('commit')) else ''}."
        + "".join(f" [{name}]({address})" for name, address in (links or {}).items()),
    ]
    sections = {
        "Best models": (
            ["dataset", "best model", "metric", "cross-validation", "test", "data"],
            best_models(before, now),
        ),
        "Gates": (["", "dataset", "gate", "value", "before"], gates(before, now)),
        "Drift of the test split": (
            ["dataset", "verdict", "columns that drifted", "before"],
            drift(before, now),
        ),
        "Settings": (["setting", "before", "now"], settings(before, now)),
        "Data": (["dataset", "", "before", "now"], data(before, now)),
        "Other candidates, cross-validation": (
            ["dataset", "candidate", "metric", "value"],
            candidates(before, now),
        ),
    }
    for title, (head, rows) in sections.items():
        if rows:
            lines += ["", f"### {title}", "", *table(head, rows)]
    return cut(lines)


def summary(before: dict, now: dict) -> str:
    """Return the report in one sentence."""
    moves = [move(best(before, name), best(now, name)) for name in now["datasets"]]
    counts = ", ".join(
        f"{moves.count(word)} {word}"
        for word in ("better", "worse", "new", "unchanged")
        if word in moves
    )
    verdicts = [gate["passed"] for result in now["gates"].values() for gate in result["gates"]]
    changed = len(settings(before, now))
    return (
        f"**{len(moves)} datasets: {counts or 'none'}; {sum(verdicts)} of {len(verdicts)} gates pass; "
        f"{changed or 'no'} {'setting' if changed == 1 else 'settings'} changed.**"
    )


def best(results: dict, dataset: str) -> dict | None:
    """Return the figures of a dataset's best candidate, None where there is none."""
    result = results["datasets"].get(dataset)
    if result is None:
        return None
    metric, candidate = result["primary_metric"], result["candidates"][result["best"]["name"]]
    return {
        "name": result["best"]["name"],
        "metric": metric,
        "cv": candidate["cv"][metric]["mean"],
        **candidate["test"][metric],
    }


def move(before: dict | None, now: dict) -> str:
    """Return in one word how the cross-validated metric of a best candidate changed."""
    if (
        before is None
        or before["metric"] != now["metric"]
        or before["cv"] is None
        or now["cv"] is None
    ):
        return "new"
    return (
        "unchanged" if before["cv"] == now["cv"] else word(before["cv"], now["cv"], now["metric"])
    )


def word(before: float, now: float, metric: str) -> str:
    return "better" if metrics.is_better(metric, now, before) else "worse"


def change(before: float | None, now: float | None, metric: str) -> str:
    """Return a figure and, where it changed, what it was, an arrow for its direction, and whether that is better."""
    if before is None or before == now:
        return rounding.number_text(now)
    if now is None:
        return f"{rounding.number_text(before)} → {NONE}"
    by = f" by {100 * abs(now - before) / abs(before):.2g} %" if before else ""
    return f"{rounding.number_text(before)} → {rounding.number_text(now)} {'▲' if now > before else '▼'} {word(before, now, metric)}{by}"


def best_models(before: dict, now: dict) -> list[list[str]]:
    """Return a row per dataset; a test score that stays within the interval it had says so."""
    rows = []
    for name, result in now["datasets"].items():
        new, old = best(now, name), best(before, name)
        old = old if old and old["metric"] == new["metric"] else {}
        test = change(old.get("value"), new["value"], new["metric"])
        if (
            old.get("low") is not None
            and old["value"] != new["value"]
            and old["low"] <= new["value"] <= old["high"]
        ):
            test += f", within its interval {rounding.number_text(old['low'])} to {rounding.number_text(old['high'])}"
        model = (
            new["name"]
            if old.get("name", new["name"]) == new["name"]
            else f"{old['name']} → {new['name']}"
        )
        rows.append(
            [
                name,
                model,
                new["metric"],
                change(old.get("cv"), new["cv"], new["metric"]),
                test,
                "synthetic" if result["synthetic"] else "real",
            ]
        )
    return rows + [
        [name, "removed", *[NONE] * 4] for name in before["datasets"] if name not in now["datasets"]
    ]


def gates(before: dict, now: dict) -> list[list[str]]:
    """Return a row per gate, those that fail first."""
    rows = []
    for name, result in now["gates"].items():
        old = {
            (gate["on"], gate["metric"]): gate
            for gate in before["gates"].get(name, {"gates": []})["gates"]
        }
        for gate in result["gates"]:
            was = old.get((gate["on"], gate["metric"]))
            rows.append(
                [
                    VERDICT[gate["passed"]],
                    name,
                    f"{gate['on']} {gate['metric']} ({gates.demand_text(gate)})",
                    rounding.number_text(gate["value"]),
                    f"{rounding.number_text(was['value'])} {VERDICT[was['passed']]}"
                    if was
                    else "no such gate",
                ]
            )
    return sorted(rows, key=lambda row: row[0] == VERDICT[True])


def drift(before: dict, now: dict) -> list[list[str]]:
    """Return a row per dataset: whether its test split differs from its training split."""
    return [
        [
            name,
            result["verdict"],
            ", ".join(result["drifted"]) or "none",
            before["drift"].get(name, {}).get("verdict", NONE),
        ]
        for name, result in now["drift"].items()
    ]


def settings(before: dict, now: dict) -> list[list[str]]:
    """Return a row per setting that is not as it was."""
    one, other = before["params"], now["params"]
    return [
        [
            f"`{key}`",
            *(
                json.dumps(side[key], ensure_ascii=False) if key in side else NONE
                for side in (one, other)
            ),
        ]
        for key in dict.fromkeys([*one, *other])
        if one.get(key, MISSING) != other.get(key, MISSING)
    ]


def data(before: dict, now: dict) -> list[list[str]]:
    """Return a row per figure of a table that is not as it was."""
    rows = []
    for name, result in now["datasets"].items():
        old = before["datasets"].get(name)
        for title, figure in DATA_FIGURES.items() if old else ():
            if figure(old) != figure(result):
                rows.append([name, title, figure(old), figure(result)])
    return rows


def candidates(before: dict, now: dict) -> list[list[str]]:
    """Return a row per candidate, the best ones aside, that is new, gone or scores otherwise."""
    rows = []
    for name, result in now["datasets"].items():
        metric, old = (
            result["primary_metric"],
            before["datasets"].get(name, {"candidates": {}})["candidates"],
        )
        for candidate in dict.fromkeys([*result["candidates"], *old]):
            was, is_now = (
                side[candidate]["cv"][metric]["mean"] if candidate in side else MISSING
                for side in (old, result["candidates"])
            )
            if candidate != result["best"]["name"] and was != is_now:
                told = (
                    f"{rounding.number_text(is_now)}, new"
                    if was is MISSING
                    else f"{rounding.number_text(was)}, removed"
                    if is_now is MISSING
                    else change(was, is_now, metric)
                )
                rows.append([name, candidate, metric, told])
    return rows


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table; no cell's text can break out of it."""
    return [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in (head, ["---"] * len(head), *rows)
    ]


def cut(lines: list[str], limit: int = LIMIT) -> str:
    """Return as many whole lines as fit, and how many are left out."""
    text = "\n".join(lines) + "\n"
    if len(text) <= limit:
        return text
    kept, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > limit - 100:  # leaves room for the last line
            break
        kept.append(line)
    return (
        "\n".join(kept)
        + f"\n\n{len(lines) - len(kept)} more lines are left out; the whole is among the run's artifacts.\n"
    )


def main(argv=None):
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
    args = parser.parse_args(argv)
    if not paths.COMPARISON.is_file():
        raise DataError(f"{paths.COMPARISON} is not there; run `make pipeline` first")
    links = dict(link.partition("=")[::2] for link in args.link)
    text = report(read_at(args.base), read_here(), args.base, links)
    if args.output:
        files.write_text(args.output, text)
    else:
        print(text, end="")


if __name__ == "__main__":
    command.run(main)
