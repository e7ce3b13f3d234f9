"""A server on loopback that keeps comments, issues and started workflows as GitHub does."""

import http.server
import json
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.comments, self.issues, self.dispatched, self.refused = {}, {}, [], None


class JsonAnswers(http.server.BaseHTTPRequestHandler):
    """Answers in JSON, without a word on the terminal."""

    def answer(self, status, content):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Answers(JsonAnswers):
    """The few addresses of GitHub's interface that are used, with their pages."""

    def handle_one(self, method):
        server, address = self.server, urlsplit(self.path)
        path, query = address.path.removeprefix("/repos/o/r/"), parse_qs(address.query)
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else None
        if self.headers["Authorization"] != "Bearer a-token" or server.refused:
            return self.answer(403, {"message": "Resource not accessible by integration"})
        page, size = (
            int(query.get(key, [default])[0]) for key, default in (("page", 1), ("per_page", 30))
        )
        if path == "pulls":
            return self.answer(200, [{"number": 7}] if query["head"] == ["someone:fix"] else [])
        if path == "issues/7/comments" and method == "GET":
            return self.answer(200, list(server.comments.values())[(page - 1) * size : page * size])
        if path == "issues/7/comments":
            number = len(server.comments)
            server.comments[number] = {
                "id": number,
                "body": content["body"],
                "user": {"type": "Bot"},
            }
            return self.answer(201, server.comments[number])
        if found := re.fullmatch(r"issues/comments/(\d+)", path):
            server.comments[int(found[1])] |= content
            return self.answer(200, server.comments[int(found[1])])
        if path == "issues" and method == "GET":
            return self.answer(
                200, [one for one in server.issues.values() if query["labels"][0] in one["labels"]]
            )
        if path == "issues":
            server.issues[len(server.issues) + 1] = {"number": len(server.issues) + 1, **content}
            return self.answer(201, server.issues[len(server.issues)])
        if found := re.fullmatch(r"issues/(\d+)", path):
            server.issues[int(found[1])] |= content
            return self.answer(200, {})
        if path == "actions/workflows/ml-pipeline.yml/dispatches":
            server.dispatched.append(content)
            return self.answer(204, None)
        return self.answer(404, {"message": "Not Found"})

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")

    def do_PATCH(self):
        self.handle_one("PATCH")


@pytest.fixture
def github_server(monkeypatch):
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{running.server_address[1]}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_TOKEN", "a-token")
    yield running
    running.shutdown()
    running.server_close()
