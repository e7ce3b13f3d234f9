"""A load of requests as heavy as a server takes, which remembers when each was answered."""

import json
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answered:
    """What came for a request, and the moment at which all of it had come."""

    moment: float
    content: bytes


@dataclass
class Load:
    """Requests over many connections at once, each of which sends the next once it is answered.

    `answered` has the answers of status 200 by the request's id, and `refused` the others; `cut`
    names the requests at which the server ended the connection.
    """

    address: str
    answered: dict[str, Answered] = field(default_factory=dict)
    refused: list[bytes] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, rows: object, connections: int, name: str) -> None:
        """Send a request's rows again and again over so many connections."""
        body = json.dumps(rows).encode()
        for number in range(connections):
            thread = threading.Thread(target=self._send, args=[body, f"{name}{number}"])
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Wait until each connection's last request is answered, or its server is gone."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, body: bytes, name: str) -> None:
        host, port = self.address.removeprefix("http://").split(":")
        head = (
            f"POST /predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: "
        ).encode()
        count = 0
        with socket.create_connection((host, int(port))) as connection:
            while not self._stop.is_set():
                request_id = f"{name}-{count}"
                try:
                    connection.sendall(head + request_id.encode() + b"\r\n\r\n" + body)
                    answer = _read_answer(connection)
                except ConnectionError:
                    self.cut.append(request_id)
                    return
                self._take(request_id, answer)
                count += 1

    def _take(self, request_id: str, answer: bytes) -> None:
        if answer.startswith(b"HTTP/1.1 200"):
            content = answer[answer.find(b"\r\n\r\n") + 4 :]
            self.answered[request_id] = Answered(time.monotonic(), content)
        else:
            self.refused.append(answer)


def _read_answer(connection: socket.socket) -> bytes:
    """Return an answer, head and body; raises ConnectionError where the server is gone."""
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += _received(connection)
    lines = answer[:end].lower().split(b"\r\n")
    length = next(line for line in lines if line.startswith(b"content-length:"))
    size = end + 4 + int(length.partition(b":")[2])
    while len(answer) < size:
        answer += _received(connection)
    return answer


def _received(connection: socket.socket) -> bytes:
    if not (part := connection.recv(2**20)):
        raise ConnectionResetError
    return part
