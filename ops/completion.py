"""Print what bash needs to complete the options of the scripts, and names of datasets.

    source <(python -m ops.completion)      # and then: python train.py --dataset <Tab>

No Python runs when Tab is pressed: shtab has written the options out, and the datasets are read
from params.yaml by sed.
"""

import importlib
import io
import sys
from contextlib import redirect_stdout, suppress

from ops.reference import SCRIPTS
from pipeline import command

# `python train.py ...` is completed as shtab completes `train.py ...`
PYTHON = r"""
_datasets_of_params() {
  local names
  names=$(sed -n '/^datasets:/,/^[^ #]/s/^  \([^ #:]*\):.*/\1/p' params.yaml 2>/dev/null)
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


def completion_of(script: str) -> str:
    """Return shtab's completion of one script in bash."""
    printed = io.StringIO()
    sys.argv = [f"{script}.py"]  # argparse takes the name of the program from it
    with redirect_stdout(printed), suppress(SystemExit):
        importlib.import_module(script).main(["--print-completion"])
    return printed.getvalue()


def main(argv: list[str] | None = None) -> None:
    command.parser(__doc__).parse_args(argv)
    for script in SCRIPTS:
        print(completion_of(script))
    print(PYTHON)


if __name__ == "__main__":
    command.run(main)
