"""A small HTTP server of tables, as the fixture `server`."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from support.houses import houses

TABLE = b"size,price\n50,100\n60,\n"
HOUSES = houses().to_csv(index=False).encode()


class Answers(BaseHTTPRequestHandler):
    """The paths of a small server: a table, the same in pieces, and what goes wrong on the way."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.logins.append(self.headers["Authorization"])
        kind = self.path.split("?")[0].strip("/")
        if kind == "gone.csv":
            return self.send_error(404)
        if kind == "moved.csv":
            self.send_response(302)
            self.send_header("Location", "/table.csv")
            return self.end_headers()
        self.send_response(200)
        self.send_header(
            "Content-Type", "text/html; charset=utf-8" if kind == "page" else "text/csv"
        )
        if kind == "broken_chunks.csv":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            return self.wfile.write(b"40\r\n" + TABLE)
        bodies = {"table.parquet": self.server.parquet, "houses.csv": HOUSES}
        body = bodies.get(kind, TABLE)
        self.send_header("Content-Length", str(len(body) + (1000 if kind == "half.csv" else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked, server.logins = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.parquet = pd.DataFrame({"size": [50, 60], "price": [100.0, None]}).to_parquet()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
