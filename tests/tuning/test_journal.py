"""The journal of a search: Optuna opens it; a change of what trials depend on makes a new one."""

import dataclasses

import pytest

from pipeline.project import files, params
from pipeline.project.errors import DataError
from pipeline.training.problem import read_problem
from pipeline.tuning import journal
from support.imports import rooms_behind
from support.processes import ROOT
from support.tuning import (
    search,
    settings_with,
)


def test_optuna_opens_the_journal(trained, tmp_path):
    import optuna

    search(params.load(), 6, tmp_path / "study")
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study/journal.log"))
    opened = optuna.load_study(study_name="tiny", storage=optuna.storages.JournalStorage(backend))
    assert [trial.number for trial in opened.trials] == list(range(6))
    assert opened.best_trial.params["model"] in ("lightgbm", "ridge")


@pytest.mark.parametrize("part", ["code", "libraries"])
def test_changed_code_and_libraries_make_a_new_study(trained, monkeypatch, part):
    settings = params.load()
    problem = read_problem("tiny", settings)
    with journal.opened(problem, settings) as folder:
        before = journal.identity(problem, settings)
    if part == "code":
        monkeypatch.setattr(
            files, "digest", lambda path: "changed" if path.name == "boosters.py" else "as it was"
        )
    else:
        monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
    assert {
        name
        for name, content in journal.identity(problem, settings).items()
        if content != before[name]
    } == {part}
    with journal.opened(problem, settings) as other:
        assert other != folder


def test_study_depends_on_the_code_of_every_room_that_a_trial_passes():
    trials = ROOT / "pipeline/tuning/search.py"
    assert set(journal.ROOMS) == rooms_behind(trials) - {"project", "builtin"}


def test_changed_settings_and_data_make_a_new_study_and_it_is_said_which(trained, capsys):
    first = settings_with(trained)
    problem = read_problem("tiny", first)
    with journal.opened(problem, first) as folder:
        pass
    with journal.opened(
        problem, settings_with(trained, replaced={"high: 15}": "high: 14}"})
    ) as other:
        assert other != folder
    assert (
        capsys.readouterr().out
        == "tune tiny: a new study, for the settings changed since the last one\n"
    )
    with journal.opened(dataclasses.replace(problem, split_hash="another"), first) as third:
        assert third not in (folder, other)
    assert "the data" in capsys.readouterr().out
    with journal.opened(problem, first) as again:
        assert again == folder
    more = first.model_copy(update={"workers": 7})
    with journal.opened(problem, more) as same:
        assert same == folder
        with pytest.raises(DataError, match="in use"):
            with journal.opened(problem, first):
                pass
