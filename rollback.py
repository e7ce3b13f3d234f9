"""Put another version of a dataset's model in the champion's place, or look at the versions there are.

    python rollback.py --dataset iris --list        # the versions, their scores and aliases
    python rollback.py --dataset iris               # the champion before this one
    python rollback.py --dataset iris --to 2
    python rollback.py --dataset iris --verify      # is the promotion log whole, and does the registry follow it

Reads   params.yaml, MLflow's registry
Writes  with --list and --verify nothing; else logs/promotions/iris.jsonl, then the aliases, once the version's files are found
        unchanged and it predicts what it did when it was registered
"""

from pipeline import command
from pipeline.project import paths
from pipeline.project.errors import UsageError
from pipeline.registry import decisions
from pipeline.registry.versions import list_versions


def table(versions):
    """Return a line per version, the newest first: the one in use is marked."""
    lines = [
        f"  {'version':>7}  {'candidate':26} {'metric':18} {'cv':>18} {'test [95 % interval]':>28}  aliases"
    ]
    for version in reversed(versions):
        tags, mark = version.tags, "*" if "champion" in version.aliases else " "
        metric, data = (
            tags.get("primary_metric", "?"),
            "  synthetic data" if tags.get("synthetic") == "True" else "",
        )
        cv, test = (tags.get(f"{part}_{metric}", "?") for part in ("cv", "test"))
        lines.append(
            f"{mark} {version.version:>7}  {tags.get('candidate', '?'):26} {metric:18} {cv:>18} {test:>28}  "
            f"{', '.join(version.aliases)}{data}"
        )
    return lines


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--list", action="store_true", help="show the versions and change nothing")
    does.add_argument(
        "--verify",
        action="store_true",
        help="check the promotion log and the registry and change nothing",
    )
    does.add_argument(
        "--to",
        metavar="V",
        help="the version that is to be the champion, in place of the one before",
    )
    parser.add_argument(
        "--reason", default="asked for", metavar="TEXT", help="why, for the promotion log"
    )
    args = parser.parse_args(argv)
    settings = command.settings()
    settings.dataset(args.dataset)
    if args.to is not None and not args.to.isdigit():
        raise UsageError(
            f"--to {args.to}: give the number of a version; `python rollback.py --dataset {args.dataset} --list` "
            f"shows them"
        )
    if args.list:
        print("\n".join(table(list_versions(args.dataset, settings))))
    elif args.verify:
        print(f"verify {args.dataset}: {decisions.verify(args.dataset, settings)}")
    else:
        line = decisions.roll_back(args.dataset, settings, args.to or "previous", args.reason)
        print(
            f"rollback {args.dataset}: {line['name']} version {line['to']} is the champion, in place of "
            f"{line['from'] or 'none'} -> {paths.promotions(args.dataset)}"
        )


if __name__ == "__main__":
    command.run(main)
