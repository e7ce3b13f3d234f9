"""Ask a server that was just started for predictions, as a client would; fail where it does not
come up or answers wrongly.

    SERVE_TOKEN=a-secret python -m ops.smoke --dataset iris --url http://127.0.0.1:8000

Reads   data/processed/<dataset>/test.parquet; SERVE_TOKEN from the environment
Writes  nothing
"""

import argparse
import json
import os
import time
import urllib.error
import urllib.request
from typing import Any

from pipeline import command
from pipeline.data import splits
from pipeline.project.errors import DataError

ROWS = 5
SECONDS_TO_COME_UP = 120
SECONDS_BETWEEN_TRIES = 0.5
# of a refusal that is shown
MOST_LETTERS = 300

Row = dict[str, Any]


def rows_of(dataset: str, inputs: list[str]) -> list[Row]:
    """Return a few rows of the test split with a model's inputs, as a client sends them.

    Raises DataError where the dataset does not have them.
    """
    frame = splits.read_split(dataset, "test").head(ROWS)
    missing = [name for name in inputs if name not in frame]
    if missing:
        raise DataError(
            f"the server asks for {missing[0]!r}, which {dataset} does not have: "
            f"is it another dataset's?"
        )
    return json.loads(frame[inputs].to_json(orient="records", double_precision=15))


def ask(url: str, content: Any = None) -> dict[str, Any]:
    """Return a server's answer; OSError where it cannot be reached or refuses."""
    headers = {"Content-Type": "application/json"}
    if os.environ.get("SERVE_TOKEN"):
        headers["Authorization"] = f"Bearer {os.environ['SERVE_TOKEN']}"
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def wait_for(url: str, seconds: float) -> None:
    """Return when a server is ready; raises DataError where it is not after so many seconds."""
    ends = time.monotonic() + seconds
    while True:
        try:
            ask(f"{url}/ready")
            return
        except OSError as error:
            # refused connections and answers other than 200
            if time.monotonic() > ends:
                raise DataError(
                    f"{url}: not ready after {seconds:g} seconds ({error}); look at its log"
                ) from None
            time.sleep(SECONDS_BETWEEN_TRIES)


def answer(url: str, content: Any = None) -> dict[str, Any]:
    """Return the answer of a server that is ready; DataError where it refuses."""
    try:
        return ask(url, content)
    except urllib.error.HTTPError as error:
        reason = error.read().decode(errors="replace")[:MOST_LETTERS]
        raise DataError(f"{url} answers {error.code}: {reason}") from None


def predictions(url: str, rows: list[Row], answered: dict[str, Any]) -> list[Any]:
    """Return the predictions of an answer; raises DataError unless each row has one."""
    given = [entry.get("prediction") for entry in answered.get("predictions", [])]
    if len(given) != len(rows) or None in given:
        raise DataError(f"{url}: {len(given)} predictions for {len(rows)} rows: {given}")
    return given


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = command.parser(__doc__)
    command.add_dataset(parser, required=True)
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000", help="of the server (%(default)s)"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=SECONDS_TO_COME_UP,
        metavar="SECONDS",
        help="for it (%(default)g)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    command.settings().dataset(args.dataset)
    wait_for(args.url, args.wait)
    inputs = list(answer(f"{args.url}/model-info")["features"])
    rows = rows_of(args.dataset, inputs)
    answered = answer(f"{args.url}/predict", rows)
    given = predictions(f"{args.url}/predict", rows, answered)
    version = f"{answered.get('model')} version {answered.get('model_version')}"
    print(f"smoke {args.dataset}: {version} predicts {given}")


if __name__ == "__main__":
    command.run(main)
