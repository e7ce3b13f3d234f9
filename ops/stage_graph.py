"""The stages of dvc.yaml: which of them are out of date, and in which order they run.

DVC's own graph and status decide. Nothing here runs a stage; `python -m ops.repro` does.
"""

import re
from dataclasses import dataclass
from typing import Any

from pipeline.project.errors import UsageError

MISSING_HERE = ("deleted", "not in cache")
BLOCK_OF_A_STAGE = re.compile(r"^(?=  \S)", re.M)
NAME_OF_A_STAGE = re.compile(r"^  (\S+):$", re.M)


@dataclass(frozen=True)
class Graph:
    """Stages in DVC's order, each with those it needs, and DVC's reports on the changed ones."""

    needs: dict[str, set[str]]
    changed: dict[str, list[Any]]


def read(targets: list[str]) -> Graph:
    """Return the graph of the named stages and of all that they need; raise UsageError as DVC does.

    `targets` are names of stages, or `dvc.yaml` for all.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    try:
        with Repo(_wait_for_lock=True) as repo:
            graph = repo.index.graph
            asked = []
            for target in targets:
                asked += repo.stage.collect(target)
            needs = {}
            for stage in plan_repro(graph, asked):
                needed = graph.successors(stage)
                needs[stage.addressing] = {one.addressing for one in needed}
            return Graph(needs, repo.status(targets=targets, with_deps=True))
    except DvcException as error:
        raise UsageError(f"DVC: {error}") from None


def differs(reports: list[Any]) -> bool:
    """Return whether a stage's files differ from dvc.lock; missing ones, as in a clone, do not.

    `reports` are DVC's on one stage: {"changed deps": {path: state}}, or a word for a new command.
    """
    for report in reports:
        if not isinstance(report, dict):
            return True
        for state_of in report.values():
            if any(state not in MISSING_HERE for state in state_of.values()):
                return True
    return False


def stale(graph: Graph) -> list[str]:
    """Return the stages whose files differ from dvc.lock."""
    return [stage for stage in graph.needs if differs(graph.changed.get(stage, []))]


def out_of_date(graph: Graph) -> list[str]:
    """Return the changed stages and all that come after them."""
    late: list[str] = []
    for stage, needed in graph.needs.items():
        if stage in graph.changed or needed & set(late):
            late.append(stage)
    return late


def steps_to_the_end(needs: dict[str, set[str]]) -> dict[str, int]:
    """Return the length of the longest chain of stages that wait for each stage."""
    steps = dict.fromkeys(needs, 0)
    for stage in reversed(needs):
        for needed in needs[stage]:
            steps[needed] = max(steps[needed], steps[stage] + 1)
    return steps


def lock_in_order(lock: str, before: str, order: list[str]) -> str:
    """Return the text of dvc.lock with its new stages in DVC's order, not in the order they ended.

    Stages that stood in it `before` keep their place.
    """
    names = dict.fromkeys([*NAME_OF_A_STAGE.findall(before), *order])
    places = {name: place for place, name in enumerate(names)}

    def place(block: str) -> int:
        name = block.partition(":\n")[0].strip()
        return places.get(name, len(places))

    head, *blocks = BLOCK_OF_A_STAGE.split(lock)
    return head + "".join(sorted(blocks, key=place))
