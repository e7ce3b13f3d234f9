"""Look for what keeps the project from working here, and say what to do about it.

    python -m ops.doctor
    python -m ops.doctor --fix          # and fix what can be fixed without losing anything

Reads   requirements.txt, dvc.lock, .dvc/, mlflow.db, metrics/, models/, your files in features/
Writes  nothing; with --fix the store, after a copy mlflow.db.before-<what>, and removes what
        killed runs left behind

Exit status 1 where something is wrong.
"""

from collections.abc import Callable

from ops import doctor_environment, doctor_own_code, doctor_project, doctor_store
from ops.doctor_fault import Fault
from pipeline import command
from pipeline.project.errors import DataError

CHECKS: dict[str, Callable[[], list[Fault]]] = {
    "Python": doctor_environment.python_version,
    "packages": doctor_environment.packages,
    "environment": doctor_environment.environment,
    "repository": doctor_project.repository,
    "dvc.lock": doctor_project.lock_conflict,
    "left behind": doctor_project.left_behind,
    "outputs": doctor_project.lost_outputs,
    "own code": doctor_own_code.own_code,
    "old store": doctor_store.file_store,
    "store's schema": doctor_store.schema,
    "store's place": doctor_store.moved_store,
    "logged models": doctor_store.lost_artifacts,
    "store's runs": doctor_store.missing_runs,
    "aliases": doctor_store.broken_aliases,
}


def examine(name: str, check: Callable[[], list[Fault]], fix: bool) -> int:
    """Print what a check finds, and fix it if asked to; return how many faults are left."""
    faults = check()
    fixed = False
    for fault in faults:
        if fix and fault.fix:
            fault.fix()
            print(f"fixed   {name}: {fault.problem}")
            fixed = True
    if fixed:
        faults = check()
    for fault in faults:
        print(line_of(fault, name))
    if not faults and not fixed:
        print(f"ok      {name}")
    return sum(fault.wrong for fault in faults)


def line_of(fault: Fault, check: str) -> str:
    """Return the line that reports a fault."""
    word = "FAULT" if fault.wrong else "to do"
    by_itself = " (--fix does it)" if fault.fix else ""
    return f"{word:6}  {check}: {fault.problem}; {fault.remedy}{by_itself}"


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--fix", action="store_true", help="fix what can be fixed without losing anything"
    )
    args = parser.parse_args(argv)
    command.settings()

    left = sum(examine(name, check, args.fix) for name, check in CHECKS.items())
    if left:
        raise DataError(f"{left} {'fault' if left == 1 else 'faults'}; see above")


if __name__ == "__main__":
    command.run(main)
