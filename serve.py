"""Serve the champion of one dataset over HTTP, on 127.0.0.1 by default.

A promotion or rollback takes effect without a restart.

    python serve.py --dataset iris                          # http://127.0.0.1:8000
    python serve.py --dataset iris --port 8080 --workers 2
    SERVE_DATASET=iris uvicorn --factory serve:app --reload \\
        --http pipeline.serving.protocol:LimitedProtocol

If SERVE_TOKEN is set, every request but GET /health and /ready needs `Authorization: Bearer
<token>`. A --host other than this machine's loopback address needs SERVE_TOKEN.

Reads   params.yaml, the registry; data/processed/iris/test.parquet, if it exists, to try the
        model
Writes  logs/inference/iris.jsonl
"""

import argparse
import os
import socket
import tempfile
from contextlib import ExitStack
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from pipeline import command
from pipeline.project.errors import DataError, UsageError
from pipeline.serving import loaded
from pipeline.serving.app import create_app
from pipeline.serving.counters import SHARED_METRICS
from pipeline.serving.door import TOKEN, Door, is_loopback
from pipeline.serving.protocol import LimitedProtocol

DATASET = "SERVE_DATASET"
TRUST_CODE = "SERVE_TRUST_CODE"
# connections that wait to be taken
BACKLOG = 2048
OPTIONS: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "timeout_graceful_shutdown": 10,
}


def app() -> Door:
    """Return the ASGI app of the dataset that the environment names, as uvicorn asks for it."""
    if not os.environ.get(DATASET):
        raise UsageError(
            f"set {DATASET} to the dataset to serve: {DATASET}=iris uvicorn --factory serve:app"
        )
    command.limit_threads()
    trust_code = os.environ.get(TRUST_CODE) == "yes"
    return create_app(os.environ[DATASET], command.settings(), trust_code)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the options; raises UsageError where one is out of range."""
    parser = command.parser(__doc__)
    command.add_dataset(parser, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="number of server processes (1)"
    )
    command.add_trust_code(parser)
    args = parser.parse_args(argv)
    if args.workers < 1 or not 0 < args.port < 65536:
        raise UsageError("give --workers 1 or more and a --port from 1 to 65535")
    return args


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of a host; connections wait until they are taken.

    Raises UsageError or DataError where the server may not or cannot listen there.
    """
    if not is_loopback(host) and not os.environ.get(TOKEN):
        raise UsageError(
            f"--host {host}: others could ask this server; "
            f"set {TOKEN} to a secret that they have to send"
        )
    with ExitStack() as opened:
        sockets = []
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for family, _, _, _, address in sorted(set(found)):
                listening = socket.create_server(address, family=family, backlog=BACKLOG)
                sockets.append(opened.enter_context(listening))
        except OSError as error:
            # create_server adds the address to the system's own words
            reason = str(error.strerror).partition(" (while")[0]
            raise DataError(
                f"cannot listen on {host} port {port}: {reason}; choose another --port"
            ) from None
        opened.pop_all()
    return sockets


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    settings = command.settings()
    settings.dataset(args.dataset)
    sockets = listen(args.host, args.port)
    host = f"[{args.host}]" if ":" in args.host else args.host
    address = f"http://{host}:{args.port}"
    try:
        if args.workers == 1:
            served = create_app(args.dataset, settings, args.trust_code)
            print(f"serve {args.dataset}: {address}", flush=True)
            run(served, sockets)
            return
        # so that a fault is reported once, not by each worker
        loaded.load(args.dataset, settings, trust_code=args.trust_code, for_single_rows=False)
        with tempfile.TemporaryDirectory() as shared:
            trust_code = "yes" if args.trust_code else "no"
            os.environ |= {
                DATASET: args.dataset,
                SHARED_METRICS: shared,
                TRUST_CODE: trust_code,
            }
            print(f"serve {args.dataset}: {address}, {args.workers} workers", flush=True)
            run_workers("serve:app", sockets, args.workers)
    except KeyboardInterrupt:
        print(f"serve {args.dataset}: stopped")


def run(served: Door, sockets: list[socket.socket]) -> None:
    """Answer with an app, in this process, until it is stopped."""
    uvicorn.Server(uvicorn.Config(served, http=LimitedProtocol, **OPTIONS)).run(sockets)


def run_workers(factory: str, sockets: list[socket.socket], workers: int) -> None:
    """Answer with the app that a function makes, in so many processes, until they are stopped."""
    config = uvicorn.Config(factory, factory=True, workers=workers, http=LimitedProtocol, **OPTIONS)
    Multiprocess(config, sockets).run()


if __name__ == "__main__":
    command.run(main)
