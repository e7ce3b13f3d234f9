"""Make another version of a dataset's model the champion, or list the versions.

    python rollback.py --dataset iris --list        # the versions, their scores and aliases
    python rollback.py --dataset iris               # back to the previous champion
    python rollback.py --dataset iris --to 2
    python rollback.py --dataset iris --verify      # check the promotion log and the registry

Reads   params.yaml, MLflow's registry
Writes  with --list and --verify nothing; else logs/promotions/iris.jsonl, then the aliases, if the
        version's files are unchanged and it predicts what it did when it was registered
"""

import argparse

from pipeline import command
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.registry import decisions, versions
from pipeline.registry.versions import CHAMPION, PREVIOUS, Version

HEADER = (
    f"  {'version':>7}  {'candidate':26} {'metric':18} {'cv':>18} "
    f"{'test [95 % interval]':>28}  aliases"
)
UNKNOWN = "?"  # stands for what a version that others registered does not say


def table(listed: list[Version]) -> list[str]:
    """Return a line per version, the newest first, under a header; the one in use is marked."""
    return [HEADER, *(row(version) for version in reversed(listed))]


def row(version: Version) -> str:
    """Return a version's line: what it is, its scores as its tags hold them, and its aliases."""
    tags = version.tags
    mark = "*" if CHAMPION in version.aliases else " "
    candidate = tags.get("candidate", UNKNOWN)
    metric = tags.get("primary_metric", UNKNOWN)
    cv = tags.get(f"cv_{metric}", UNKNOWN)
    test = tags.get(f"test_{metric}", UNKNOWN)
    data = "  synthetic data" if tags.get("synthetic") == "True" else ""
    return (
        f"{mark} {version.version:>7}  {candidate:26} {metric:18} {cv:>18} {test:>28}  "
        f"{', '.join(version.aliases)}{data}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = command.parser(__doc__)
    command.add_dataset(parser, required=True)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="show the versions and change nothing")
    action.add_argument(
        "--verify",
        action="store_true",
        help="check the promotion log and the registry and change nothing",
    )
    action.add_argument(
        "--to",
        metavar="V",
        help="the version that becomes champion; default the previous champion",
    )
    parser.add_argument(
        "--reason", default="asked for", metavar="TEXT", help="the reason, for the promotion log"
    )
    command.add_trust_code(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    args = parser().parse_args(argv)
    settings = command.settings()
    settings.dataset(args.dataset)
    if args.to is not None and not args.to.isdigit():
        raise UsageError(
            f"--to {args.to}: give the number of a version; `python rollback.py --dataset "
            f"{args.dataset} --list` shows them"
        )

    if args.list:
        print("\n".join(table(versions.list_versions(args.dataset, settings))))
        return
    if args.verify:
        print(f"verify {args.dataset}: {decisions.verify(args.dataset, settings)}")
        return
    decision = decisions.roll_back(
        args.dataset, settings, args.to or PREVIOUS, args.reason, args.trust_code
    )
    print(
        f"rollback {args.dataset}: {decision.name} version {decision.champion} is the champion, in "
        f"place of {decision.champion_before or 'none'} -> {paths.promotions(args.dataset)}"
    )


if __name__ == "__main__":
    command.run(main)
