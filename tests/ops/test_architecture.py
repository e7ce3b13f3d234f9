"""The blocks of docs/ARCHITECTURE.md are what the graph of stages and the code say."""

import re

import pytest

from ops import architecture, rooms
from pipeline.project.errors import DataError
from support.processes import ROOT


def test_blocks_of_the_document_are_those_of_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = architecture.DOCUMENT.read_text()
    assert architecture.architecture(text) == text, "run `make results`"


def test_life_of_a_row_names_each_file_once_and_each_exists():
    text = (ROOT / architecture.DOCUMENT).read_text()
    section = re.search(r"## The life of a row\n(.*?)\n## ", text, re.S)[1]
    names = re.findall(r"`([\w/]+\.py)`", section)
    assert len(names) > 20 and len(set(names)) == len(names)
    assert all((ROOT / name).is_file() for name in names)
    assert len(re.findall(r"^\d+\. ", section, re.M)) <= 10


def test_graph_has_a_node_per_stage_and_each_edge_once():
    mermaid = (
        'flowchart TD\n\tnode1["train@a"]\n\tnode2["train@b"]\n\tnode3["compare"]\n'
        "\tnode1-->node3\n\tnode2-->node3\n"
    )
    assert architecture.graph(mermaid) == [
        "```mermaid",
        "flowchart LR",
        '    compare["compare"]',
        '    train["train@dataset"]',
        "    train --> compare",
        "```",
    ]


def test_faults_of_graph_and_marks_are_reported():
    with pytest.raises(DataError, match="shows no stages"):
        architecture.graph("flowchart TD\n")
    with pytest.raises(DataError, match="put them back"):
        architecture.with_block("no marks here", "graph", [])


@pytest.fixture
def package(tmp_path):
    """A package of three rooms: top stands on middle and ground, middle on ground."""
    imports = {
        "ground": "",
        "middle": "from pipeline.ground import files\n",
        "top": "def f():\n    from pipeline import middle\n    import pipeline.ground.files\n",
    }
    for room, code in imports.items():
        (tmp_path / room / "inner").mkdir(parents=True)
        (tmp_path / room / "__init__.py").write_text(f'"""Room {room}."""\n')
        (tmp_path / room / "inner" / "noun.py").write_text(
            f'"""What the {room}\nowns.\n\nMore.\n"""\n{code}'
        )
    return tmp_path


def test_rooms_come_from_the_ground_up_and_arrows_that_follow_are_left_out(package):
    imports = rooms.all_imports(package)
    assert imports == {"ground": set(), "middle": {"ground"}, "top": {"ground", "middle"}}
    assert list(imports) == ["ground", "middle", "top"]
    assert rooms.direct_arrows(imports) == [("middle", "ground"), ("top", "middle")]


def test_circle_of_rooms_is_reported(package):
    (package / "ground" / "noun.py").write_text("from pipeline.top import inner\n")
    with pytest.raises(ValueError, match="'ground', 'middle', 'top'.*circle"):
        rooms.all_imports(package)


def test_room_is_shown_with_its_sentence_and_the_first_paragraph_of_each_module(package):
    plan = architecture.floor_plan(package)
    assert '    top["top/"]' in plan and "    top --> middle" in plan
    place = plan.index(f"### `{package.name}/ground/`")
    assert plan[place + 2] == "Room ground."
    assert plan[place + 6] == f"| `{package.name}/ground/inner/noun.py` | What the ground owns. |"
