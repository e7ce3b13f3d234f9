"""Ask a server that was just started for predictions, as a client would; fail where it does not come up or answers wrongly.

    SERVE_TOKEN=a-secret python -m ops.smoke --dataset iris --url http://127.0.0.1:8000

Reads   data/processed/<dataset>/test.parquet; SERVE_TOKEN from the environment
Writes  nothing
"""

import json
import os
import time
import urllib.error
import urllib.request

from pipeline import command
from pipeline.data import splits
from pipeline.project.errors import DataError

ROWS = 5
SECONDS_TO_COME_UP = 120


def rows_of(dataset: str, features: list[str]) -> list[dict]:
    """Return a few rows of the test split with a model's features, as a client sends them."""
    frame = splits.read_split(dataset, "test").head(ROWS)
    missing = [name for name in features if name not in frame]
    if missing:
        raise DataError(
            f"the server asks for {missing[0]!r}, which {dataset} has not: is it another dataset's?"
        )
    return json.loads(frame[features].to_json(orient="records", double_precision=15))


def ask(url: str, content=None) -> dict:
    """Return a server's answer; OSError where it cannot be reached or refuses."""
    headers = {"Content-Type": "application/json"}
    if os.environ.get("SERVE_TOKEN"):
        headers["Authorization"] = f"Bearer {os.environ['SERVE_TOKEN']}"
    data = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.loads(answer.read())


def wait_for(url: str, seconds: float) -> None:
    """Return when a server is ready."""
    ends = time.monotonic() + seconds
    while True:
        try:
            ask(f"{url}/ready")
            return
        except OSError as error:  # refused connections and answers other than 200
            if time.monotonic() > ends:
                raise DataError(
                    f"{url}: not ready after {seconds:g} seconds ({error}); look at its log"
                ) from None
            time.sleep(0.5)


def answer(url: str, content=None) -> dict:
    """Return the answer of a server that is ready; DataError where it refuses."""
    try:
        return ask(url, content)
    except urllib.error.HTTPError as error:
        raise DataError(
            f"{url} answers {error.code}: {error.read().decode(errors='replace')[:300]}"
        ) from None


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
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
    args = parser.parse_args(argv)
    command.settings().dataset(args.dataset)
    wait_for(args.url, args.wait)
    rows = rows_of(args.dataset, list(answer(f"{args.url}/model-info")["features"]))
    found = answer(f"{args.url}/predict", rows)
    given = [entry.get("prediction") for entry in found.get("predictions", [])]
    if len(given) != len(rows) or None in given:
        raise DataError(
            f"{args.url}/predict: {len(given)} predictions for {len(rows)} rows: {given}"
        )
    print(
        f"smoke {args.dataset}: {found.get('model')} version {found.get('model_version')} predicts {given}"
    )


if __name__ == "__main__":
    command.run(main)
