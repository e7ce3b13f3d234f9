"""Scripts and commands as a user runs them, and waiting for what they do."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def until(holds, seconds: float = 20, what: str = "it", pause: float = 0.05):
    """Return what holds() gives once it is true."""
    ends = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < ends, f"{what} did not come in {seconds:g} seconds"
        time.sleep(pause)
    return found


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def with_ctrl_c() -> None:
    """Let a process take SIGINT as from a terminal, for Popen's preexec_fn.

    One that is started in the background ignores it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def script(name: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Run a script of the project, or a module of ops, as a user does; return status and output."""
    command = ["-m", name] if name.startswith("ops.") else [str(ROOT / f"{name}.py")]
    return subprocess.run(
        [sys.executable, *command, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def kill_while_writing(name: str, folder: Path, *arguments: str) -> None:
    """Start a script and kill it with SIGKILL once an unfinished output of it lies in a folder."""
    process = subprocess.Popen(
        [sys.executable, ROOT / f"{name}.py", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def is_writing():
        assert process.poll() is None, "ended before it was killed"
        return any(folder.rglob(f"*.{process.pid}.partial"))

    try:
        until(is_writing, 60, pause=0.001)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command line; return its status and output."""
    return subprocess.run(command, shell=True, capture_output=True, text=True, cwd=cwd)
