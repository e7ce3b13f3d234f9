"""Write to the MLflow store what the stages' files hold and it lacks: runs, versions and aliases.

    python -m ops.sync
    python -m ops.sync --dataset iris

After a store was deleted, after `dvc pull`, or after DVC restored a stage from its cache without
running it. Run again, it writes nothing.
"""

from pipeline import command
from pipeline.registry import decisions, promotion_log
from pipeline.tracking import record, store, synced


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    datasets = settings.names(args.dataset)
    of_dataset = "" if args.dataset == "all" else f" of {args.dataset}"
    nothing_missing = f"sync: the store holds every run{of_dataset} already"
    if synced.is_synced(args.dataset):
        print(nothing_missing)
        return
    written = record.sync_runs(datasets, settings)
    decided = decisions.sync_registry(datasets, settings)
    for (dataset, stage), count in written.items():
        print(f"sync {dataset}: {count} {stage} {'run' if count == 1 else 'runs'} written")
    for dataset, decision in decided.items():
        print(f"sync {dataset}: {promotion_log.summary(decision)}")
    if written:
        print(f"sync: {sum(written.values())} runs written to {store.tracking_uri()}")
    else:
        print(nothing_missing)
    synced.note_synced(args.dataset)


if __name__ == "__main__":
    command.run(main)
