"""Talk to GitHub: one comment on a pull request, one issue, the start of a workflow. What is there already is updated.

    python -m ops.github comment --head OWNER:BRANCH --file report.md       # on the open pull request of that branch
    python -m ops.github issue --title "Drift in iris" --file drift.md --label drift
    python -m ops.github dispatch --workflow ml-pipeline.yml --ref main --input dataset=iris

Reads   GITHUB_TOKEN, GITHUB_REPOSITORY and, for another server, GITHUB_API_URL from the environment; the file
Writes  to GitHub alone. Needs Python's own library only, so that a job that may write needs to install nothing
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from pipeline import command
from pipeline.project.errors import DataError, PipelineError, UsageError

MARK = "<!-- pipeline report -->"  # the first line of the comment, by which it is found again
LIMIT = 65_536  # characters that a comment or an issue may have
PAGE = 100
TIMEOUT = 30


def api(method: str, path: str, content: dict | None = None):
    """Return GitHub's answer to a request on this repository."""
    token, repository = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_REPOSITORY")
    if not token or not repository:
        raise UsageError(
            "GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name) have to be set in the environment"
        )
    server = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    request = urllib.request.Request(
        f"{server}/repos/{repository}/{path}",
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        try:
            reason = json.loads(error.read()).get("message")
        except ValueError:
            reason = error.reason
        raise PipelineError(
            f"GitHub answers {error.code} to {method} {path.partition('?')[0]}: {reason}; "
            f"look at the permissions of the token"
        ) from None
    except OSError as error:
        raise PipelineError(
            f"GitHub cannot be reached at {server}: {getattr(error, 'reason', error)}"
        ) from None


def pages(path: str):
    """Yield all entries of a list that GitHub gives in pages."""
    for number in range(1, 1000):
        entries = api("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={number}")
        yield from entries
        if len(entries) < PAGE:
            return


def text_of(file: str) -> str:
    """Return a file's text, not longer than GitHub takes."""
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")[:LIMIT]
    except FileNotFoundError:
        raise DataError(f"{file} is not there; write it first") from None


def comment(head: str, text: str) -> str:
    """Put a report on the open pull request of a branch, in place of the last one; return what was done.

    The branch comes from GitHub's own event, never from the report, which may be a stranger's.
    """
    text = text if text.startswith(MARK) else f"{MARK}\n{text}"[:LIMIT]
    found = api("GET", f"pulls?state=open&head={urllib.parse.quote(head)}")
    if not found:
        return f"no open pull request of {head}"
    number = found[0]["number"]
    for old in pages(f"issues/{number}/comments"):
        if old["user"]["type"] == "Bot" and old["body"].startswith(MARK):
            api("PATCH", f"issues/comments/{old['id']}", {"body": text})
            return f"comment on #{number} updated"
    api("POST", f"issues/{number}/comments", {"body": text})
    return f"comment on #{number} written"


def issue(title: str, text: str, label: str) -> str:
    """Open an issue, or give the open one of that title and label a new text; return what was done."""
    for old in pages(f"issues?state=open&labels={urllib.parse.quote(label)}"):
        if old["title"] == title and "pull_request" not in old:
            api("PATCH", f"issues/{old['number']}", {"body": text})
            return f"issue #{old['number']} updated"
    number = api("POST", "issues", {"title": title, "body": text, "labels": [label]})["number"]
    return f"issue #{number} opened"


def dispatch(workflow: str, ref: str, inputs: dict[str, str]) -> str:
    """Start a workflow as a person does by hand; return what was done."""
    api(
        "POST",
        f"actions/workflows/{urllib.parse.quote(workflow)}/dispatches",
        {"ref": ref, "inputs": inputs},
    )
    return f"{workflow} started on {ref}"


def main(argv=None):
    parser = command.parser(__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    one = actions.add_parser("comment", help="on the pull request of a branch")
    one.add_argument("--head", required=True, metavar="OWNER:BRANCH")
    one.add_argument("--file", required=True)
    one = actions.add_parser("issue", help="open or update")
    one.add_argument("--title", required=True)
    one.add_argument("--file", required=True)
    one.add_argument("--label", default="drift")
    one = actions.add_parser("dispatch", help="start a workflow")
    one.add_argument("--workflow", required=True)
    one.add_argument("--ref", default="main")
    one.add_argument("--input", action="append", default=[], metavar="NAME=VALUE")
    args = parser.parse_args(argv)
    if args.action == "comment":
        done = comment(args.head, text_of(args.file))
    elif args.action == "issue":
        done = issue(args.title, text_of(args.file), args.label)
    else:
        done = dispatch(
            args.workflow, args.ref, dict(pair.partition("=")[::2] for pair in args.input)
        )
    print(f"github: {done}")


if __name__ == "__main__":
    command.run(main)
