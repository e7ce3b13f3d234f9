"""ops.set_params: params.yaml with other values, its comments and its form kept."""

from dvc.utils.hydra import apply_overrides

from ops import set_params
from pipeline.project import params
from support.documents import page
from support.processes import script
from support.projects import PARAMS


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines of a text that are not those of the text before."""
    assert len(before.splitlines()) == len(after.splitlines())
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [new for old, new in pairs if new != old]


def test_the_project_s_file_keeps_its_form_when_a_setting_changes():
    before = page("params.yaml")
    after = set_params.changed(before, {"datasets.iris.train.cv_folds": "3"})
    assert changed_lines(before, after) == ["      cv_folds: 3"]


def test_the_writer_of_dvc_keeps_the_project_s_file_as_well(tmp_path):
    path = tmp_path / "params.yaml"
    before = page("params.yaml")
    path.write_text(before, encoding="utf-8")
    apply_overrides(path, ["datasets.iris.train.cv_folds=3"])  # as `dvc exp run -S` does
    assert changed_lines(before, path.read_text(encoding="utf-8")) == ["      cv_folds: 3"]


def test_settings_are_changed_with_their_comments_kept_and_wrong_ones_refused(project):
    (project / "params.yaml").write_text("# a comment\n" + PARAMS)
    done = script(
        "ops.set_params", "datasets.iris.train.cv_folds=4", "models.ridge.alpha=1e-3", cwd=project
    )
    assert done.returncode == 0, done.stderr
    settings = params.load()
    assert (
        settings.dataset("iris").train.cv_folds == 4 and settings.models["ridge"]["alpha"] == 0.001
    )
    before = (project / "params.yaml").read_text()
    assert before.startswith("# a comment\n")
    for wrong in ("datasets.iris.train.cv_folds=1", "datasets.nope.seed=1", "seed", "seed=[1"):
        assert script("ops.set_params", wrong, cwd=project).returncode == 2, wrong
    assert (project / "params.yaml").read_text() == before
