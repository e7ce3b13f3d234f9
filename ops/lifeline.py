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
import time

import psutil

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_UNTIL_STOPPED_AGAIN = 8


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process and all that it started."""
    os.read(sys.stdin.fileno(), 1)  # no buffer, whose lock would keep Python from ending
    if os.name == "nt":
        for process in psutil.Process().children(recursive=True):
            process.kill()
    else:  # also those whose own parent is gone are in the group that this process leads
        os.killpg(os.getpgrp(), signal.SIGKILL)


def stop_with_parent() -> None:
    """Stop this process, as SIGTERM does, once the one that started it is gone."""
    this = psutil.Process()
    parent = this.parent()

    def wait_and_stop() -> None:
        # not parent.wait(): a killed make is there until its own parent has asked how it ended
        while parent is not None and this.parent() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            # it may have come where Python drops an exception, as in a destructor
            time.sleep(SECONDS_UNTIL_STOPPED_AGAIN)

    threading.Thread(target=wait_and_stop, daemon=True).start()


def main(command: list[str]) -> int:
    """Run a command and return its status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
