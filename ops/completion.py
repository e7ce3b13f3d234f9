"""Print what bash or zsh needs to complete the options of the scripts, and names of datasets.

    source <(python -m ops.completion)               # bash; then: python train.py --dataset <Tab>
    eval "$(python -m ops.completion --shell zsh)"   # zsh, after compinit

No Python runs when Tab is pressed: shtab writes out the options, and sed reads the datasets from
params.yaml.
"""

import importlib
import io
import sys
from contextlib import redirect_stdout, suppress

from ops.reference import SCRIPTS
from pipeline import command

NAMES = r"""sed -n '/^datasets:/,/^[^ #]/s/^  \([^ #:]*\):.*/\1/p' params.yaml 2>/dev/null"""
# `python train.py ...` is completed as shtab completes `train.py ...`
BASH = r"""
_datasets_of_params() {
  local names
  names=$(NAMES)
  compgen -W "$2 $names" -- "$1"
}

_datasets_or_all() {
  _datasets_of_params "$1" all
}

_python_script() {
  local script="${COMP_WORDS[1]##*/}"
  local complete_script="_shtab_${script//./_}"
  COMPREPLY=()
  if (( COMP_CWORD > 1 )) && declare -F "$complete_script" >/dev/null; then
    COMP_WORDS=("${COMP_WORDS[@]:1}")
    (( COMP_CWORD-- ))
    "$complete_script"
  fi
}

complete -o bashdefault -o default -F _python_script python python3
"""
ZSH = r"""
_datasets_of_params() {
  local -a names=(${(f)"$(NAMES)"})
  compadd -a names
}

_datasets_or_all() {
  compadd all
  _datasets_of_params
}

_python_script() {
  local complete_script="_shtab_${${words[2]:t}//./_}"
  if (( CURRENT > 2 && $+functions[$complete_script] )); then
    shift words
    (( CURRENT-- ))
    $complete_script
  else
    _default
  fi
}

compdef _python_script python python3
"""
OF_PYTHON = {"bash": BASH, "zsh": ZSH}


def completion_of(script: str, shell: str) -> str:
    """Return shtab's completion of one script in a shell."""
    printed = io.StringIO()
    sys.argv = [f"{script}.py"]  # argparse takes the name of the program from it
    with redirect_stdout(printed), suppress(SystemExit):
        importlib.import_module(script).main(["--print-completion", shell])
    return printed.getvalue()


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--shell", choices=command.SHELLS, default="bash", help="whose completion (bash)"
    )
    shell = parser.parse_args(argv).shell
    for script in SCRIPTS:
        print(completion_of(script, shell))
    print(OF_PYTHON[shell].replace("NAMES", NAMES))


if __name__ == "__main__":
    command.run(main)
