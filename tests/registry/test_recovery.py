"""A lost registry, log or champion comes back from what is left."""

import shutil

import pytest

from ops import sync
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError
from pipeline.registry import bundles, decisions, versions
from pipeline.tracking import store
from support.processes import shell
from support.registered import aliases, log, resolve, three_lines


def three_decisions(register) -> dict[str, int]:
    register("worse")
    register("better")
    decisions.roll_back("tiny", params.load(), 2, "a test")
    return aliases()


def state() -> tuple:
    return (
        aliases(),
        [
            (version.version, version.sha256)
            for version in versions.list_versions("tiny", params.load())
        ],
        log(),
    )


def test_lost_registry_is_rebuilt_with_its_numbers_and_aliases(
    first, register, other_store, capsys
):
    three_decisions(register)
    before = state()
    other_store()
    sync.main([])
    assert state() == before
    sync.main([])
    assert "holds every run already" in capsys.readouterr().out and state() == before
    assert {resolve(number).folder.is_dir() for number in (1, 2, 3)} == {True}


def test_champion_that_was_deleted_is_registered_again_and_others_are_not(two, capsys):
    client, champion = store.client(), resolve()
    for number in (1, 2):
        client.delete_model_version("TinyPredictor", str(number))
    with pytest.raises(DataError, match="@champion is gone"):
        decisions.verify("tiny", params.load())
    sync.main([])
    assert (
        f"TinyPredictor: version {champion.version} registered again, as version 3\n"
        in capsys.readouterr().err
    )
    assert (resolve().version, resolve().sha256) == (3, champion.sha256)
    assert [version.version for version in versions.list_versions("tiny", params.load())] == [3]
    assert "the log is whole" in decisions.verify("tiny", params.load())


def test_model_that_was_renamed_has_its_versions_under_the_new_name(first, register):
    told = register("better", ("name: TinyPredictor", "name: PricePredictor"))
    assert "PricePredictor version 2, promoted" in told
    assert (
        aliases() == {"champion": 2, "production": 2, "previous": 1}
        and resolve(1).name == "PricePredictor"
    )


def test_lost_log_is_written_from_the_registry(first, register):
    three_decisions(register)
    before = state()
    shutil.rmtree("logs")
    with pytest.raises(
        DataError, match="has 0 lines, TinyPredictor in sqlite:.* has 4; run `make sync`"
    ):
        decisions.verify("tiny", params.load())
    sync.main([])
    assert state() == before


def test_versions_whose_files_are_nowhere_keep_their_numbers_free(two, other_store, capsys):
    shutil.rmtree("mlruns")
    other_store()
    sync.main([])
    assert "TinyPredictor: version 1 is lost: no model with its sha256" in capsys.readouterr().err
    assert aliases() == {"champion": 2, "production": 2}


def test_champion_whose_files_are_nowhere_is_reported_until_a_rollback_settles_it(
    two, become, other_store
):
    shutil.rmtree("mlruns")
    become("first")
    other_store()
    paths.registration("tiny").write_text(
        paths.registration("tiny").read_text().replace(log()[1].entry.sha256, log()[0].entry.sha256)
    )
    with pytest.raises(
        DataError,
        match="@champion is gone, the promotion log says version 2: .* or its files are lost",
    ):
        sync.main([])
    decisions.roll_back("tiny", params.load(), 1, "version 2 is lost")
    assert aliases()["champion"] == 1 and "the log is whole" in decisions.verify(
        "tiny", params.load()
    )


def test_fresh_clone_with_the_store_of_others_gets_their_log(first, register):
    three_decisions(register)
    before = log()
    shutil.rmtree("logs")
    assert "decided on before" in register("better") and log() == before


def test_log_of_another_project_is_refused(first, register):
    files.write_text(paths.promotions("tiny"), "".join(f"{text}\n" for text in three_lines()))
    with pytest.raises(DataError, match="line 1 is not that of TinyPredictor in sqlite"):
        register("better")


@pytest.mark.slow
def test_version_of_an_earlier_commit_comes_back_from_dvcs_cache(pipeline_run, monkeypatch):
    assert shell("git add -A && git commit -qm first", pipeline_run).returncode == 0
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        text.replace("ridge: {alpha: 1.0}", "ridge: {alpha: 3.0}")
    )
    assert (
        shell(
            "dvc repro register@tiny && git commit -qam second && rm -rf mlflow.db mlruns",
            pipeline_run,
        ).returncode
        == 0
    )
    done = shell("python -m ops.sync", pipeline_run)
    assert done.returncode == 0 and "TinyPredictor: version 1 registered again" in done.stderr, (
        done.stdout + done.stderr
    )
    monkeypatch.chdir(pipeline_run)
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", f"sqlite:///{pipeline_run}/./mlflow.db"
    )  # not the connection to a lost one
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}
    bundles.check(resolve(1).folder)
