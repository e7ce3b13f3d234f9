"""Record the README's animated picture: a real terminal session in a fresh clone.

    python docs/demo/record.py            # takes minutes, and installs from the network

Needs   git and make; npm for svg-term-cli, which draws the picture
Writes  docs/images/tour.svg
"""

import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs/images/tour.svg"
DRAW = ["npx", "--yes", "svg-term-cli@2.1.1", "--window", "--no-cursor"]
COLUMNS, ROWS = 120, 36
# seconds: per typed character, after a command, the longest silence that is kept
KEYSTROKE = 0.05
READ = 5.0
IDLE = 2.0
SECONDS_TO_ANSWER = 900
# a live table moves the cursor up before it draws itself again; a frame is kept every few seconds
CURSOR_UP = "\x1b[1A"
SECONDS_BETWEEN_FRAMES = 5.0
PROMPT = "❯ "
# serve.py's own port
SERVED = 8000
SESSION = [
    "make pipeline DATASET=iris",
    "python evaluate.py --dataset iris",
    "python serve.py --dataset iris > serve.log 2>&1 &",
    f"until curl -sf http://127.0.0.1:{SERVED}/ready; do sleep 1; done; echo",
    f"curl -s http://127.0.0.1:{SERVED}/predict -H 'Content-Type: application/json' -d "
    """'{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'"""
    "; echo",
    "kill %1; wait",
    "python rollback.py --dataset iris --list",
]
PREPARATION = "git clone -q $PROJECT project && cd project && make setup"


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of the recorded shell: its own, and those that installing needs."""
    kept = {}
    for name, value in os.environ.items():
        if name.startswith(("UV_", "PIP_", "SSL_")):
            kept[name] = value
    return {
        **kept,
        "PATH": f"{folder}/project/.venv/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "PS1": PROMPT,
        "LANG": "C.UTF-8",
        "COLUMNS": str(COLUMNS),
        "LINES": str(ROWS),
        "PROJECT": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


class Session:
    """A shell on a terminal of its own; what it shows and when is kept as asciinema's events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = 0.0
        self.events: list[list[Any]] = []
        process, self.terminal = pty.fork()
        if process == 0:
            os.chdir(folder)
            shell = ["bash", "--norc", "--noprofile", "--noediting"]
            os.execvpe("bash", shell, environment(folder))
        settings = termios.tcgetattr(self.terminal)
        # what is typed is shown by `type`, key by key
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(self.terminal, termios.TCSANOW, settings)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)

    def show(self, text: str) -> None:
        shown = text.replace(str(self.folder), "~").replace(str(ROOT), "~/tabular")
        self.events.append([round(self.clock, 3), "o", shown])

    def read_to_the_prompt(self) -> None:
        """Keep what the shell shows until it waits for a command; silences are shortened."""
        seen, last = "", time.monotonic()
        while not seen.endswith(PROMPT):
            if not select.select([self.terminal], [], [], SECONDS_TO_ANSWER)[0]:
                raise TimeoutError(f"the session hangs after: {seen}")
            text = os.read(self.terminal, 65536).decode(errors="replace")
            self.clock += min(time.monotonic() - last, IDLE)
            last = time.monotonic()
            seen = (seen + text)[-300:]
            self.show(text)

    def type(self, line: str) -> None:
        for key in line:
            self.clock += KEYSTROKE
            self.show(key)
        self.show("\r\n")
        os.write(self.terminal, f"{line}\n".encode())


def record(folder: Path) -> Session:
    """Type the lines into a shell and return the session; the preparation is not shown."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", SERVED)) == 0:
            raise SystemExit(f"port {SERVED} is taken; stop what listens there")
    session = Session(folder)
    session.read_to_the_prompt()
    session.type(f"{PREPARATION} && clear")
    session.read_to_the_prompt()
    session.clock, session.events = 0.0, [[0.0, "o", PROMPT]]
    for line in SESSION:
        session.type(line)
        session.read_to_the_prompt()
        session.clock += READ
    os.close(session.terminal)
    return session


def with_fewer_frames(events: list[list[Any]]) -> list[list[Any]]:
    """Return events with a frame of a live table every few seconds, and without the others' time.

    A frame clears the lines of the one before it, so that a later one can stand in its place.
    """
    kept = []
    clock = before = last_frame = 0.0
    following = [CURSOR_UP in text for _, _, text in events[1:]] + [False]
    for (moment, kind, text), frame_follows in zip(events, following, strict=True):
        is_frame = CURSOR_UP in text
        if is_frame and frame_follows and moment - last_frame < SECONDS_BETWEEN_FRAMES:
            before = moment
            continue
        if is_frame:
            last_frame = moment
        clock += moment - before
        before = moment
        kept.append([round(clock, 3), kind, text])
    return kept


def cast(session: Session) -> str:
    """Return a session in asciinema's format."""
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": ROWS,
        "title": "From a clone to a served and watched model",
    }
    lines = [json.dumps(part, ensure_ascii=False) for part in (header, *session.events)]
    return "\n".join(lines) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        session = record(Path(folder))
    session.events = with_fewer_frames(session.events)
    drawn = subprocess.run(DRAW, input=cast(session).encode(), capture_output=True)
    if drawn.returncode:
        raise SystemExit(f"svg-term-cli failed: {drawn.stderr.decode().strip()}")
    PICTURE.write_bytes(drawn.stdout)
    print(f"{PICTURE.relative_to(ROOT)}: {session.clock:.0f} seconds")


if __name__ == "__main__":
    main()
