"""The documents name only scripts, options, targets, paths and settings that exist."""

import json
import re

import pytest

from pipeline.project import paths
from pipeline.project.params import Data, Drift, Prepare, Register, Serve, Slices, Train, Tune
from support.processes import ROOT, script

FOLDERS = ("benchmarks", "docs/demo", "ops", "pipeline", "pipeline/sources", "tests")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = {
    path.name
    for folder in (ROOT, *(ROOT / name for name in FOLDERS))
    for path in folder.glob("*.py")
}
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def code(page) -> str:
    """Return what a page sets in code: spans and blocks."""
    text = page.read_text()
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.S)
    return "\n".join(
        blocks + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_and_modules_exist(page):
    for name in re.findall(r"\b([a-z_]+\.py)\b", code(page)):
        assert name in SCRIPTS, name
    for module in re.findall(r"python -m (ops\.[a-z_]+)", code(page)):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    for target in re.findall(r"\bmake ([a-z-]+)", code(page)):
        assert target in MAKE_TARGETS, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page):
    for name, rest in re.findall(r"python ([a-z_]+)\.py([^\n`]*)", code(page)):
        options = set(re.findall(r"(--[a-z-]+)", rest))
        if options:
            assert options <= set(re.findall(r"--[a-z-]+", script(name, "--help").stdout)), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_folders_exist(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
    outputs = {"data", "models", "reports", "mlruns", "logs", "studies"}
    for folder in re.findall(r"(?:^|\s)([a-z.]+)/(?=\s|$)", code(page), re.M):
        assert (
            folder in outputs or (ROOT / folder).is_dir() or (ROOT / "pipeline" / folder).is_dir()
        ), folder


def test_every_setting_of_a_dataset_is_documented():
    text = (ROOT / "docs/your-data.md").read_text()
    for block, settings in (("data", Data), ("prepare", Prepare), ("train", Train)):
        for key in settings.model_fields:
            if (block, key) not in {
                ("data", "rows"),
                ("prepare", "test_size"),
                ("train", "cv_folds"),
            }:
                assert key in text, f"{block}.{key}"


def test_readme_shows_what_the_committed_results_print():
    import compare_results
    import validate_metrics

    text = (ROOT / "README.md").read_text()
    for line in compare_results.table(
        json.loads((ROOT / paths.COMPARISON).read_text())["datasets"]
    ):
        assert line in text, line
    for verdict in (ROOT / paths.VALIDATION).glob("*.json"):
        for line in validate_metrics.lines(json.loads(verdict.read_text())):
            assert line in text, line


def test_every_threshold_of_drift_is_documented_with_its_default():
    text = (ROOT / "docs/drift.md").read_text()
    for key, field in Drift.model_fields.items():
        assert f"| `{key}` | {field.default} |" in text, key


def test_every_setting_of_serving_is_documented_with_its_default():
    text = (ROOT / "docs/serving.md").read_text()
    for key, field in Serve.model_fields.items():
        assert f"| `{key}` | {field.default} |" in text, key


def test_every_setting_of_register_is_documented_with_its_default():
    text = (ROOT / "docs/registry.md").read_text()
    for key, field in Register.model_fields.items():
        assert key == "name" or f"| `{key}` | {field.default} |" in text, key


def test_every_setting_of_tuning_is_documented_with_its_default():
    text = (ROOT / "docs/tuning.md").read_text()
    for key, field in Tune.model_fields.items():
        default = str(field.default).replace("'", "") if key == "models" else field.default
        assert f"| `{key}` | {default} |" in text, key


def test_every_script_is_in_the_table_of_stages():
    text = (ROOT / "README.md").read_text()
    for path in ROOT.glob("*.py"):
        assert f"`{path.name}`" in text, path.name


def commands(pages) -> set[tuple]:
    """Return what pages have one type, without the values: (program, script or target, options)."""
    found = set()
    for page in pages:
        for command in re.findall(
            r"(?:^\$ |&& |^)((?:python|make|dvc|git|mlflow) [^&#\n]*)", code(page), re.M
        ):
            program, what, *rest = command.split()
            found.add(
                (
                    program,
                    what,
                    frozenset(
                        word.partition("=")[0] for word in rest if re.match(r"--|[A-Z]+=", word)
                    ),
                )
            )
    return found


def test_french_commands_are_those_of_the_english_pages_and_name_every_script():
    french = commands(page for page in PAGES if page.parent.name == "fr")
    known = commands(page for page in PAGES if page.parent.name != "fr")
    for program, what, options in french:
        if program not in (
            "python",
            "make",
        ):  # these are held against the scripts' help and the Makefile above
            assert (program, what, options) in known
    scripts = {what for program, what, _ in french if program == "python"}
    assert scripts == {path.name for path in ROOT.glob("*.py")}


def test_every_setting_of_slices_is_documented_with_its_default():
    text = (ROOT / "docs/report.md").read_text()
    for key, field in Slices.model_fields.items():
        assert f"| `{key}` | {field.default or 'none'} |" in text, key
