"""A registered model, ready to answer: loaded, compiled where that repeats it, with the rule of its requests."""

import sys
import time
from dataclasses import replace

from pipeline.inference_log.lines import Entry
from pipeline.project.errors import DataError, PipelineError
from pipeline.project.params import Params
from pipeline.registry import versions
from pipeline.serving import loaded
from pipeline.serving.loaded import ServedModel

CHALLENGER = "challenger"
SECONDS_AFTER_FAULT = 30  # before a version that failed its check is tried again


class Live:
    """What is served now: it follows the registry's aliases, and what fails its check never takes the place of what serves.

    `counters` are those of pipeline.api. The challenger runs along where the settings say so: it answers too, into the log only.
    """

    def __init__(self, dataset: str, settings: Params, counters):
        self.dataset, self.settings, self.counters = dataset, settings, counters
        self.serve = settings.dataset(dataset).serve
        self.champion, self.challenger = loaded.load(dataset, settings), None
        self.faults = {}
        self._refused = {}  # alias: the version that failed its check, and when it may be tried again
        self.follow()

    def follow(self) -> None:
        """Look where the aliases point; load what is new beside what serves, and swap."""
        self.champion = self._followed(versions.CHAMPION, self.champion)
        self.counters.model_version.set(self.champion.version)
        if self.serve.shadow:
            self.challenger = self._followed(CHALLENGER, self.challenger)

    def _followed(self, alias: str, served: ServedModel | None) -> ServedModel | None:
        number = None
        try:
            number = versions.version_number(self.dataset, self.settings, alias)
            refused, until = self._refused.get(alias, (None, 0))
            if served and number == served.version:
                self.faults.pop(alias, None)
            elif number != refused or time.monotonic() > until:
                served = loaded.load(self.dataset, self.settings, number)
                self.faults.pop(alias, None)
                self.counters.reloads.labels(alias, "swapped").inc()
                print(
                    f"serve {self.dataset}: {alias} is {served.name} version {served.version}",
                    flush=True,
                )
        except Exception as error:  # whatever it is, what serves stays
            if alias == CHALLENGER and number is None and isinstance(error, DataError):
                return None  # there is none
            fault = (
                str(error)
                if isinstance(error, PipelineError)
                else f"{type(error).__name__}: {error}".splitlines()[0]
            )
            if self.faults.get(alias) != fault:
                print(
                    f"serve {self.dataset}: {alias}: {fault}; what was served stays",
                    file=sys.stderr,
                    flush=True,
                )
            self.faults[alias] = fault
            self._refused[alias] = number, time.monotonic() + SECONDS_AFTER_FAULT
            self.counters.reloads.labels(alias, "failed").inc()
        return served

    def run_along(self, entries: list[Entry]) -> list[Entry]:
        """Return what the challenger answers to requests that the champion has answered."""
        challenger = self.challenger
        if challenger is None or challenger.version == self.champion.version:
            return []
        try:
            rows = [
                {name: row[name] for name in challenger.columns}
                for entry in entries
                for row in entry.rows
            ]
            answers = iter(challenger.answers(challenger.output(rows)))
        except (
            Exception
        ) as error:  # it has features of its own, or no number for a row: its affair alone
            self.faults[CHALLENGER] = f"cannot run along: {type(error).__name__}: {error}"
            return []
        return [
            replace(
                entry,
                model=challenger.name,
                version=challenger.version,
                shadow=True,
                answers=[next(answers) for _ in entry.rows],
            )
            for entry in entries
        ]
