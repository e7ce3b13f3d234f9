"""ops.set_params: params.yaml with other values, its comments kept."""

from pipeline.project import params
from support.processes import script
from support.projects import PARAMS


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
