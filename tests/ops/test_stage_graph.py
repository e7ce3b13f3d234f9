"""ops.stage_graph: which stages are out of date, and their order."""

import re

from ops import stage_graph
from ops.stage_graph import Graph


def test_longest_way_to_go_starts_first():
    needs = {
        "g1": set(),
        "t1": {"g1"},
        "d1": {"t1"},
        "g2": set(),
        "t2": {"g2"},
        "end": {"d1", "t2"},
    }
    assert stage_graph.steps_to_the_end(needs) == {
        "g1": 3,
        "t1": 2,
        "d1": 1,
        "g2": 2,
        "t2": 1,
        "end": 0,
    }
    assert stage_graph.out_of_date(Graph(needs, {"t2": []})) == ["t2", "end"]


def test_lock_keeps_its_order_and_takes_new_stages_in_the_graphs():
    lock = "schema: '2.0'\nstages:\n" + "".join(
        f"  {name}:\n    cmd: x\n" for name in ("end", "t@1", "g@1", "old")
    )
    before = "schema: '2.0'\nstages:\n  old:\n    cmd: x\n"
    ordered = stage_graph.lock_in_order(lock, before, ["g@1", "t@1", "end"])
    assert re.findall(r"^  (\S+):", ordered, re.M) == ["old", "g@1", "t@1", "end"]
    assert sorted(ordered.splitlines()) == sorted(lock.splitlines())


def test_missing_files_do_not_differ_and_other_settings_do():
    missing = {"changed outs": {"models": "deleted", "reports": "not in cache"}}
    assert not stage_graph.differs([missing])
    assert stage_graph.differs([missing, {"changed deps": {"params.yaml": {"seed": "modified"}}}])
    assert stage_graph.differs(["changed command"])
