"""Serve the champion of one dataset over HTTP, on 127.0.0.1 unless told otherwise.

It follows the registry's alias.

    python serve.py --dataset iris                          # http://127.0.0.1:8000
    python serve.py --dataset iris --port 8080 --workers 2
    SERVE_DATASET=iris uvicorn --factory serve:app --reload

With SERVE_TOKEN set, all but GET /health and /ready ask for `Authorization: Bearer <token>`;
another --host needs it, too.

Reads   params.yaml, the registry; data/processed/iris/test.parquet, where it is there, to try the
        model on
Writes  logs/inference/iris.jsonl
"""

import argparse
import os
import socket
import tempfile

from pipeline import command
from pipeline.project.errors import DataError, UsageError
from pipeline.serving import loaded
from pipeline.serving.app import create_app
from pipeline.serving.counters import SHARED_METRICS
from pipeline.serving.door import TOKEN, Door, is_loopback

DATASET = "SERVE_DATASET"


def app() -> Door:
    """Return the ASGI app of the dataset that the environment names, as uvicorn asks for it."""
    if not os.environ.get(DATASET):
        raise UsageError(
            f"set {DATASET} to the dataset to serve: {DATASET}=iris uvicorn --factory serve:app"
        )
    command.limit_threads()
    return create_app(os.environ[DATASET], command.settings())


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the options; raises UsageError where one is out of range."""
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that answer (1)"
    )
    args = parser.parse_args(argv)
    if args.workers < 1 or not 0 < args.port < 65536:
        raise UsageError("give --workers 1 or more and a --port from 1 to 65535")
    return args


def check_address(host: str, port: int) -> None:
    """Raise UsageError or DataError where the server may not or cannot listen there."""
    if host != "localhost" and not is_loopback(host) and not os.environ.get(TOKEN):
        raise UsageError(
            f"--host {host}: others could ask this server; "
            f"set {TOKEN} to a secret that they have to send"
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise DataError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --port"
        ) from None


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    settings = command.settings()
    settings.dataset(args.dataset)
    check_address(args.host, args.port)
    import uvicorn

    options = {
        "host": args.host,
        "port": args.port,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": 10,
    }
    address = f"http://{args.host}:{args.port}"
    try:
        if args.workers == 1:
            served = create_app(args.dataset, settings)
            print(f"serve {args.dataset}: {address}", flush=True)
            uvicorn.run(served, **options)
            return
        # so that a fault is reported once, not by each worker
        loaded.load(args.dataset, settings)
        with tempfile.TemporaryDirectory() as shared:
            os.environ |= {DATASET: args.dataset, SHARED_METRICS: shared}
            print(f"serve {args.dataset}: {address}, {args.workers} workers", flush=True)
            uvicorn.run("serve:app", factory=True, workers=args.workers, **options)
    except KeyboardInterrupt:
        print(f"serve {args.dataset}: stopped")


if __name__ == "__main__":
    command.run(main)
