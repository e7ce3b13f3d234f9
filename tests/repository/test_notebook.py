"""The notebook runs from its folder on a finished project, and is committed without outputs."""

import shutil

import nbclient
import nbformat

from support.processes import ROOT

NOTEBOOK = ROOT / "notebooks/explore.ipynb"


def test_notebook_runs_and_shows_the_project(pipeline_run):
    folder = pipeline_run / "notebooks"
    folder.mkdir(exist_ok=True)
    notebook = nbformat.read(shutil.copy(NOTEBOOK, folder), as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    shown = [
        str(output.get("text", output.get("data")))
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    ]
    text = "\n".join(shown)
    assert "'iris', 'tiny'" in text and "tiny: 150 training rows, real" in text
    assert "image/png" in text and text.count("predicted") >= 1 and "no drift" in text


def test_notebook_is_committed_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
