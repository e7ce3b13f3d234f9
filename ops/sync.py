"""Write to the MLflow store what the stages' files say and the store lacks: runs, registered versions and their aliases.

    python -m ops.sync

After a store was deleted, after `dvc pull`, or after DVC restored a stage from its cache without running it. Run again, it
writes nothing.
"""

from pipeline import command
from pipeline.registry import decisions
from pipeline.tracking import record, store


def main(argv=None):
    command.parser(__doc__).parse_args(argv)
    written = record.sync_runs()
    decided = decisions.sync_registry(command.settings())
    for (dataset, stage), count in written.items():
        print(f"sync {dataset}: {count} {stage} {'run' if count == 1 else 'runs'} written")
    for dataset, line in decided.items():
        print(
            f"sync {dataset}: {line['name']} version {line['version']}, {line['outcome']}: {line['reason']}"
        )
    print(
        f"sync: {sum(written.values())} runs written to {store.tracking_uri()}"
        if written
        else "sync: the store holds every run already"
    )


if __name__ == "__main__":
    command.run(main)
