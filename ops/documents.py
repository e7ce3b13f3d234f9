"""Write the parts of the documents that follow from the project: docs/RESULTS.md, and in docs/ARCHITECTURE.md the graph and the
list of modules.

    python -m ops.documents

Reads   metrics/comparison_results.json, dvc.yaml (by `dvc dag`), the modules' docstrings
Writes  docs/RESULTS.md, the blocks of docs/ARCHITECTURE.md between their marks
"""

import ast
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pipeline import command
from pipeline.project import files, paths, rounding
from pipeline.project.errors import DataError
from pipeline.scoring import gates

RESULTS = Path("docs/RESULTS.md")
ARCHITECTURE = Path("docs/ARCHITECTURE.md")
MARKS = "<!-- {}, made by `make results`: -->\n", "<!-- end of {} -->\n"
LIBRARIES = (
    "scikit-learn",
    "xgboost-cpu",
    "xgboost",
    "lightgbm",
    "catboost",
    "pandas",
    "numpy",
    "dvc",
    "mlflow",
)


def results(comparison: dict) -> list[str]:
    """Return the tables of the results, those of synthetic data apart from those of real ones."""
    lines = []
    for title, synthetic in (("Real data", False), ("Synthetic data", True)):
        part = {
            name: result
            for name, result in comparison["datasets"].items()
            if result["synthetic"] == synthetic
        }
        if not part:
            continue
        lines += [f"## {title}", ""]
        if synthetic:
            lines += [
                "Made by this project: these scores say that the pipeline works, not how well such problems can be solved.",
                "",
            ]
        lines += [
            "| dataset | rows | best model | metric | cross-validation | test, 95 % interval | gates |",
            "| --- | ---: | --- | --- | --- | --- | --- |",
            *(_row(name, result) for name, result in part.items()),
            "",
        ]
        tuned = [line for name, result in part.items() for line in _tuned(name, result)]
        if tuned:
            lines += [
                "What tuning brought, by the paired difference on the test rows (positive is better):",
                "",
                "| dataset | candidate | against | metric | difference, 95 % interval |",
                "| --- | --- | --- | --- | --- |",
                *tuned,
                "",
            ]
    if comparison["overall"]:
        ranks = ", ".join(
            f"{one['name']} {rounding.number_text(one['mean_rank'])}"
            for one in comparison["overall"]
        )
        lines += [
            "## Over all datasets",
            "",
            f"Mean rank of the candidates that stand in every dataset: {ranks}.",
            "",
        ]
    return lines


def _row(name: str, result: dict) -> str:
    metric, best = result["primary_metric"], result["best"]["name"]
    candidate = result["candidates"][best]
    cv, test = candidate["cv"][metric], candidate["test"][metric]
    gates = (
        "; ".join(
            f"{'passed' if gate['passed'] else '**failed**'}: {gate['on']} {gate['metric']} {rounding.number_text(gate['value'])} "
            f"({gates.bounds_text(gate)})"
            for gate in result["gates"]
        )
        or "none"
    )
    return (
        f"| {name} | {result['rows']['train'] + result['rows']['test']:,} | {best} | {metric} | {rounding.number_text(cv['mean'])} ± "
        f"{rounding.number_text(cv['std'])} | {rounding.number_text(test['value'])} ({rounding.number_text(test['low'])} to {rounding.number_text(test['high'])}) | {gates} |"
    )


def _tuned(name: str, result: dict) -> list[str]:
    gains = (result["tuning"] or {}).get("improvement", {})
    return [
        f"| {name} | {candidate} | {gain['over']} | {result['primary_metric']} | {rounding.number_text(gain['test']['absolute'])} "
        f"({rounding.number_text(gain['test']['low'])} to {rounding.number_text(gain['test']['high'])}) |"
        for candidate, both in gains.items()
        for gain in [both["best_of_train"]]
    ]


def environment() -> list[str]:
    """Return the command, the versions and the kind of machine that gave the results."""
    from joblib import cpu_count

    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except ImportError:  # of the two XGBoost packages one is installed
            continue
    return [
        "## How they were made",
        "",
        "```console",
        "$ make pipeline",
        "$ make results",
        "```",
        "",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {cpu_count()} cores; "
        f"{', '.join(f'{name} {number}' for name, number in found.items())}.",
        "Models and figures repeat byte for byte on one platform with these versions.",
    ]


def graph(mermaid: str) -> list[str]:
    """Return `dvc dag --mermaid` with one node per stage in the place of one per dataset."""
    names = {
        node: re.sub(r"@.*", "@dataset", name)
        for node, name in re.findall(r'(node\d+)\["(.+?)"\]', mermaid)
    }
    stages = sorted(set(names.values()))
    edges = sorted(
        {(names[one], names[other]) for one, other in re.findall(r"(node\d+)-->(node\d+)", mermaid)}
    )
    if not edges:
        raise DataError(
            "dvc.yaml: `dvc dag --mermaid` shows no stages; run from the project's root"
        )
    return [
        "```mermaid",
        "flowchart LR",
        *(f'    {_node(name)}["{name}"]' for name in stages),
        *(f"    {_node(one)} --> {_node(other)}" for one, other in edges),
        "```",
    ]


def _node(name: str) -> str:
    return name.partition("@")[0]


def dag() -> str:
    """Return what `dvc dag --mermaid` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "dag", "--mermaid"], capture_output=True, text=True
    )
    if done.returncode:
        raise DataError(
            f"dvc.yaml: `dvc dag --mermaid` failed: {done.stderr.strip().splitlines()[-1]}"
        )
    return done.stdout


def modules(folder: Path) -> list[str]:
    """Return the table of the modules in a folder with what each says of itself: the first paragraph of its docstring."""
    lines = ["| module | what it knows |", "| --- | --- |"]
    for file in sorted(folder.glob("*.py")):
        if file.name != "__init__.py":
            said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))).partition("\n\n")[
                0
            ]
            lines.append(f"| `{folder.name}/{file.name}` | {' '.join(said.split()).rstrip(':')} |")
    return lines


def with_block(text: str, name: str, lines: list[str]) -> str:
    """Return a document with the lines between the marks of that name."""
    begin, end = (mark.format(name) for mark in MARKS)
    first, last = text.find(begin), text.find(end)
    if not 0 <= first < last:
        raise DataError(
            f"{ARCHITECTURE}: the marks {begin.strip()} and {end.strip()} are not there; put them back"
        )
    return text[: first + len(begin)] + "\n".join(lines) + "\n" + text[last:]


def architecture(text: str) -> str:
    """Return docs/ARCHITECTURE.md with its blocks made anew."""
    return with_block(with_block(text, "graph", graph(dag())), "modules", modules(Path("pipeline")))


def main(argv=None):
    command.parser(__doc__).parse_args(argv)
    comparison = files.read_json(paths.COMPARISON, made_by="dvc repro")
    head = [
        "# Results",
        "",
        "Written by `make results` from `metrics/comparison_results.json`, never by hand. How models are "
        "chosen and scored: [pipeline.md](pipeline.md).",
        "",
    ]
    files.write_text(RESULTS, "\n".join([*head, *results(comparison), *environment()]) + "\n")
    files.write_text(ARCHITECTURE, architecture(ARCHITECTURE.read_text(encoding="utf-8")))
    print(f"documents: {RESULTS}, {ARCHITECTURE}")


if __name__ == "__main__":
    command.run(main)
