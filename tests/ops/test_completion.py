"""ops.completion: bash and zsh complete the scripts' options and the names of datasets."""

import shutil
import subprocess
import sys

import pytest

from ops import completion
from pipeline.project.params import load

# as bash does when Tab is pressed after these words
PRESS_TAB = 'COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _python_script; echo "${COMPREPLY[@]}"'
# a zsh in a terminal of its own, in which Tab is pressed; words are shown once they are completed
IN_ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -U compinit && compinit -u; eval "$(cat completion.zsh)"; PS1=READY'
zpty -r -m shell shown '*READY*'
zpty -n -w shell $'python serve.py --dataset ti\t'
zpty -r -m shell shown '*tiny*' && print completed the dataset
zpty -n -w shell $'\x15python ./train.py --mo\t'
zpty -r -m shell shown '*--model*' && print completed the option
"""


@pytest.fixture
def completed(project, monkeypatch, capsys):
    """Return what bash offers after some words, in the folder of the tiny project."""
    monkeypatch.setattr(sys, "argv", ["completion.py"])
    monkeypatch.setattr(completion, "SCRIPTS", ("train", "serve"))
    completion.main([])
    code = f"{capsys.readouterr().out}\n{PRESS_TAB}"

    def offered(*words: str) -> list[str]:
        done = subprocess.run(["bash", "-c", code, "bash", *words], capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout.split()

    return offered


def test_options_are_those_of_the_script_that_python_is_to_run(completed):
    assert completed("python", "train.py", "--mo") == ["--model"]
    assert completed("python3", "./train.py", "--dataset", "tiny", "--mo") == ["--model"]
    assert completed("python", "serve.py", "--mo") == []
    assert completed("python", "train.py", "--print") == []  # for ops.completion alone


def test_datasets_are_those_of_params_yaml(completed, project):
    assert completed("python", "train.py", "--dataset", "") == ["all", *load().datasets]
    assert completed("python", "serve.py", "--dataset", "") == [*load().datasets]
    assert completed("python", "serve.py", "--dataset", "ti") == ["tiny"]
    (project / "params.yaml").unlink()
    assert completed("python", "train.py", "--dataset", "") == ["all"]


def test_what_is_no_script_is_left_to_bash(completed):
    assert completed("python", "other.py", "--mo") == []
    assert completed("python", "tr") == []


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh on this machine")
def test_zsh_completes_the_same(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["completion.py"])
    monkeypatch.setattr(completion, "SCRIPTS", ("train", "serve"))
    completion.main(["--shell", "zsh"])
    (project / "completion.zsh").write_text(capsys.readouterr().out)
    done = subprocess.run(
        ["zsh", "-f", "-c", IN_ZSH], cwd=project, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["completed the dataset", "completed the option"]
