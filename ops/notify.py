"""Send a message to a webhook, as Slack, Mattermost and others take it.

    ALERT_WEBHOOK=https://hooks.example.org/services/... python -m ops.notify "the nightly run failed"

Reads   the address from the environment, ALERT_WEBHOOK, or from params.yaml, alerts.webhook; the environment goes first
Writes  nothing
"""

import os
import sys
import threading
import time
from urllib.parse import urlsplit

from pipeline import command, params
from pipeline.errors import PipelineError, UsageError

VARIABLE = "ALERT_WEBHOOK"
ATTEMPTS = 3
PAUSE = 1.0                 # seconds before the second attempt, twice as many before the third
TIMEOUT = 5.0               # seconds that a server may be silent
LIMIT = 20.0                # seconds in all, the look-up of the name included, which knows no timeout
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


def address(settings=None) -> str | None:
    """Return where alerts go: the environment's address before that of params.yaml; None where there is neither."""
    return os.environ.get(VARIABLE, "").strip() or (settings.alerts.webhook if settings else None)


def post(url: str, message: str, limit: float = LIMIT, **fields) -> bool:
    """Send {"text": message, **fields} as JSON; return whether it was taken.

    Several attempts are made within `limit` seconds. A failure is one line on standard error and never an exception: an alert
    that cannot be sent changes no result. Of the address no more than the host is told, as the rest is what lets one in.
    """
    outcome = {}
    thread = threading.Thread(target=_attempts, args=(url, {"text": message, **fields}, outcome, limit), daemon=True)
    thread.start()
    thread.join(limit)
    reason = outcome.get("reason", f"no answer in {limit:g} seconds")
    if reason:
        print(f"alert not sent to {_host(url)}: {reason}", file=sys.stderr)
    return not reason


def _attempts(url: str, content: dict, outcome: dict, limit: float) -> None:
    """Put into `outcome` why a message was not taken, or "" where it was."""
    ends = time.monotonic() + limit
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2**(attempt - 1))
        reason, again = _attempt(url, content, min(TIMEOUT, max(ends - time.monotonic(), 0.1)))
        if not reason or not again:
            break
    outcome["reason"] = reason if not reason or not again else f"{reason}, {ATTEMPTS} attempts"


def _attempt(url: str, content: dict, timeout: float) -> tuple[str, bool]:
    """Return why one attempt failed, "" where it did not, and whether another may help."""
    import requests
    try:                        # the body of the answer is not read, and no redirection followed
        with requests.post(url, json=content, timeout=timeout, allow_redirects=False, stream=True) as answer:
            return ("" if answer.status_code < 300 else f"HTTP {answer.status_code}"), answer.status_code in TRY_AGAIN
    except requests.Timeout:
        return f"no answer in {timeout:.2g} seconds", True
    except requests.ConnectionError:
        return "no connection", True
    except Exception as error:              # its text would hold the address
        return f"{type(error).__name__}; check the address", False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the webhook"
    except ValueError:
        return "the webhook"


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("message")
    args = parser.parse_args(argv)
    url = address() or address(params.load())
    if not url:
        raise UsageError(f"no address; set {VARIABLE}, or alerts.webhook in params.yaml")
    if not post(url, args.message):
        raise PipelineError("the message was not sent")


if __name__ == "__main__":
    command.run(main)
