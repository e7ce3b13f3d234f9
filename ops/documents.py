"""Write the documents that follow from the project.

These are docs/RESULTS.md, docs/reference/, and the blocks of docs/ARCHITECTURE.md: the graph of
stages and the floor plan of the rooms.

    python -m ops.documents

Reads   metrics/comparison_results.json, dvc.yaml (by `dvc dag`), the modules' docstrings and
        imports, the settings' types, the scripts' --help
Writes  docs/RESULTS.md, docs/reference/, the blocks of docs/ARCHITECTURE.md between their marks
"""

from collections.abc import Sequence

from ops import architecture, reference, results_page
from pipeline import command
from pipeline.project import files
from pipeline.report import comparison


def main(argv: Sequence[str] | None = None) -> None:
    command.parser(__doc__).parse_args(argv)
    files.write_text(results_page.DOCUMENT, results_page.page(comparison.read()))
    text = architecture.DOCUMENT.read_text(encoding="utf-8")
    files.write_text(architecture.DOCUMENT, architecture.architecture(text))
    for path, page in reference.pages().items():
        files.write_text(path, page)
    print(f"documents: {results_page.DOCUMENT}, {architecture.DOCUMENT}, {reference.FOLDER}/")


if __name__ == "__main__":
    command.run(main)
