"""The lifeline: a command that ends, with all that it started, when the process above is gone.

    python -m ops.lifeline COMMAND...

Its standard input is a pipe that nothing is written to. The system closes the other end however
the process that holds it ends, `kill -9` included, and on every system.
"""

import os
import signal
import subprocess
import sys
import threading

import psutil


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process and all that it started."""
    os.read(sys.stdin.fileno(), 1)  # no buffer, whose lock would keep Python from ending
    if os.name == "nt":
        for process in psutil.Process().children(recursive=True):
            process.kill()
    else:  # also those whose own parent is gone are in the group that this process leads
        os.killpg(os.getpgrp(), signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run a command and return its status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
