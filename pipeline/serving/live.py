"""The live versions: what answers now, and how it follows the registry's aliases."""

import sys
import time
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.project.errors import DataError, PipelineError
from pipeline.project.params import Params
from pipeline.registry import versions
from pipeline.serving import loaded
from pipeline.serving.counters import Counters
from pipeline.serving.inference_log.lines import Entry, Row
from pipeline.serving.loaded import ServedModel

CHALLENGER = "challenger"
# before a version that failed its check is tried again
SECONDS_AFTER_FAULT = 30


@dataclass(frozen=True)
class _Failed:
    """A version that failed its check, None where the alias could not be read."""

    version: int | None
    moment: float


class Live:
    """What is served now: a version that fails its check never takes the place of what serves.

    The challenger is shadow-tested where the settings say so: it answers into the log only.
    `faults` says what failed last, {alias: reason}.
    """

    def __init__(
        self, dataset: str, settings: Params, counters: Counters, trust_code: bool = False
    ) -> None:
        self.dataset = dataset
        self.settings = settings
        self.counters = counters
        self.trust_code = trust_code
        self.champion = loaded.load(dataset, settings, trust_code=trust_code)
        self.challenger: ServedModel | None = None
        self.faults: dict[str, str] = {}
        self._failed: dict[str, _Failed] = {}
        self.follow()

    def follow(self) -> None:
        """Look where the aliases point; load what is new beside what serves, and swap."""
        followed = self._followed(versions.CHAMPION, self.champion)
        if followed is not None:
            self.champion = followed
        self.counters.model_version.set(self.champion.version)
        if self.settings.dataset(self.dataset).serve.shadow:
            self.challenger = self._followed(CHALLENGER, self.challenger)

    def _followed(self, alias: str, served: ServedModel | None) -> ServedModel | None:
        """Return the version that an alias names, or what is served where that one fails."""
        number = None
        try:
            number = versions.version_number(self.dataset, self.settings, alias)
            if served is not None and number == served.version:
                self.faults.pop(alias, None)
            elif not self._failed_lately(alias, number):
                served = loaded.load(self.dataset, self.settings, number, self.trust_code)
                self._swapped(alias, served)
        except Exception as error:
            if alias == CHALLENGER and number is None and isinstance(error, DataError):
                # there is none
                return None
            # whatever it is, what serves stays
            self._refuse(alias, number, error)
        return served

    def _failed_lately(self, alias: str, number: int) -> bool:
        failed = self._failed.get(alias)
        if failed is None or failed.version != number:
            return False
        return time.monotonic() <= failed.moment + SECONDS_AFTER_FAULT

    def _swapped(self, alias: str, served: ServedModel) -> None:
        """Count and say that an alias names another version."""
        self.faults.pop(alias, None)
        self.counters.reloads.labels(alias, "swapped").inc()
        version = f"{served.name} version {served.version}"
        print(f"serve {self.dataset}: {alias} is {version}", flush=True)

    def _refuse(self, alias: str, number: int | None, error: Exception) -> None:
        """Count that a version failed, and say why, once."""
        reason = _one_line(error)
        if self.faults.get(alias) != reason:
            message = f"serve {self.dataset}: {alias}: {reason}; what was served stays"
            print(message, file=sys.stderr, flush=True)
        self.faults[alias] = reason
        self._failed[alias] = _Failed(number, time.monotonic())
        self.counters.reloads.labels(alias, "failed").inc()

    def shadow_test(self, entries: list[Entry]) -> list[Entry]:
        """Return what the challenger answers to requests that the champion has answered."""
        challenger = self.challenger
        if challenger is None or challenger.version == self.champion.version:
            return []
        try:
            return _answered_by(challenger, entries)
        except Exception as error:
            # it has inputs of its own, or not a finite number for a row: its affair alone
            self.faults[CHALLENGER] = f"cannot be shadow-tested: {type(error).__name__}: {error}"
            return []


def _one_line(error: Exception) -> str:
    if isinstance(error, PipelineError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _answered_by(challenger: ServedModel, entries: list[Entry]) -> list[Entry]:
    """Return requests with the challenger's answers in place of the champion's, all in one go."""
    inputs = list(challenger.model.spec.inputs)
    rows = []
    for entry in entries:
        rows += [_only(inputs, row) for row in entry.rows]
    answers = iter(challenger.answers(challenger.output(rows)))
    return [
        replace(
            entry,
            model=challenger.name,
            version=challenger.version,
            shadow=True,
            answers=list(islice(answers, len(entry.rows))),
        )
        for entry in entries
    ]


def _only(names: list[str], row: Row) -> Row:
    return {name: row[name] for name in names}
