"""The shadow test: the challenger answers what the champion answered, into the log only."""

import threading

from pipeline.serving.inference_log.lines import Entry
from pipeline.serving.inference_log.writer import MOST_WAITING, Writer
from pipeline.serving.live import Live

SECONDS_BETWEEN_BATCHES = 0.1


class ShadowTest:
    """Has the challenger answer, from a thread of its own, in batches.

    It never keeps a request or the champion's lines waiting: what comes while MOST_WAITING rows
    wait for the challenger is left out, and counted as "full".
    """

    def __init__(self, live: Live, log: Writer) -> None:
        self.live = live
        self.log = log
        self._lock = threading.Lock()
        self._waiting: list[Entry] = []
        self._rows = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow-test", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take a request that the champion has answered; returns at once."""
        if self.live.challenger is None:
            return
        rows = len(entry.rows)
        with self._lock:
            lost = bool(self._rows) and self._rows + rows > MOST_WAITING
            if not lost:
                self._waiting.append(entry)
                self._rows += rows
        if lost:
            self.log.count("full", rows)

    def close(self) -> None:
        """Have what waits answered and end; before the log is closed."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(SECONDS_BETWEEN_BATCHES):
            self._answer()
        self._answer()

    def _answer(self) -> None:
        with self._lock:
            entries, self._waiting, self._rows = self._waiting, [], 0
        if not entries:
            return
        for entry in self.live.shadow_test(entries):
            self.log.add(entry)
        if self.log.is_behind():
            self.log.flush()
