"""Write to the MLflow store what the stages' files say and the store lacks.

    python -m ops.sync

After a store was deleted, after `dvc pull`, or after DVC restored a stage from its cache without running it. Run again, it
writes nothing.
"""

from pipeline import command


def main(argv=None):
    command.parser(__doc__).parse_args(argv)
    from pipeline import tracking
    written = tracking.sync()
    for (dataset, stage), count in written.items():
        print(f"sync {dataset}: {count} {stage} {'run' if count == 1 else 'runs'} written")
    print(f"sync: {sum(written.values())} runs written to {tracking.tracking_uri()}" if written
          else "sync: the store holds every run already")


if __name__ == "__main__":
    command.run(main)
