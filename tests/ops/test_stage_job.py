"""ops.stage_job: what a running stage prints, and what of it is a sign of progress."""

from ops import stage_job
from pipeline import command


def test_signs_of_progress_are_told_from_results(capsys, monkeypatch):
    monkeypatch.setattr(command, "SECONDS_BETWEEN_LINES", -1)
    with command.progress(3, "tune iris", "trial") as step:
        step(1, "best log_loss 0.1 (random_forest)")
        step(1)
    assert stage_job.PROGRESS.findall(capsys.readouterr().err) == ["1 of 3 trials", "2 of 3 trials"]
    assert not stage_job.PROGRESS.search(
        "drift iris: no drift, 0 of 11 columns drifted; nothing to do -> reports/iris/drift/"
    )
