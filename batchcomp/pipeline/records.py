"""The small records that runs report: one a file, and the sum of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from batchcomp.archive.rows import Row
from batchcomp.errors import ExitCode


@dataclass(frozen=True, kw_only=True)
class Done:
    """A picture was stored or restored. `row` is its manifest row, None for a lone payload.

    `left_out` names what of a restored picture its file format has no place for. `pixels` is what comparing them with
    those recorded came to (see `pipeline.proof`), "" where that was not done; `note` is what is to be said of it.
    """

    name: str
    row: Row | None = None
    left_out: tuple[str, ...] = ()
    pixels: str = ""
    note: str = ""


LINK = "link"
MOST_NAMED = 10  # links that are named at the end of a run


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A file was left alone, and why: it is unchanged, no picture, or failed before in the same way.

    `otherwise` says with what an unchanged one is stored, where that is not what is asked for now. `kind` sums up those
    that are no pictures: "video .mov", ".txt", "pipe"; `LINK` is a symbolic link that was not followed.
    """

    name: str
    reason: str
    unchanged: bool = False
    failed_before: bool = False
    otherwise: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A dry run would take this file, and why; `bytes` is about how large what comes of it will be, None: unknown."""

    name: str
    reason: str
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What restoring comes to, as far as the archive tells: about so many bytes; `free_bytes` is the disk's room."""

    pictures: int
    bytes: int
    free_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A file could not be taken or restored; `reason` names it and says why.

    `damage`: the archive is at fault. `again`: it could not even be read, which may pass without a change of the file.
    `pixels`: it was restored, but its pixels are not those recorded, which the same engine made.
    """

    name: str
    reason: str
    damage: bool = False
    again: bool = False
    pixels: bool = False


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The run waits until the machine's load average, now `load`, falls to `max_load`."""

    load: float
    max_load: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing happened for a while; what is due can be done. Nobody is shown this."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Many events that go through the stages of a run as one; it is taken apart before anyone is shown them."""

    events: tuple[Passed, ...]


Event = Done | Passed | Planned | Expected | Failed | Waiting | Idle | Bundle


@dataclass(kw_only=True)
class Outcome:
    """What a run came to."""

    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)  # of how many pictures what had no place in their files
    otherwise: Counter[str] = field(default_factory=Counter)  # how many unchanged ones are stored with what else
    passed_over: Counter[str] = field(default_factory=Counter)  # how many of which kind
    links: list[str] = field(default_factory=list)  # the first of those that were not followed
    failures: list[Failed] = field(default_factory=list)
    source_bytes: int = 0
    payload_bytes: int = 0

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Done(row=row):
                self.counts["done"] += 1
                self.left_out.update(event.left_out)
                if row is not None:
                    self.counts[row.stored] += 1
                    self.source_bytes += row.source_bytes
                    self.payload_bytes += 0 if row.owner_segment else row.payload_bytes
                    self.counts["shared"] += bool(row.owner_segment)
            case Passed(unchanged=True, otherwise=otherwise):
                self.counts["unchanged"] += 1
                if otherwise:
                    self.counts["otherwise"] += 1
                    self.otherwise[otherwise] += 1
            case Passed(failed_before=True):
                self.counts["failed_before"] += 1
            case Passed(kind=kind):
                self.counts["skipped"] += 1
                self.passed_over[kind] += 1
                if kind == LINK and len(self.links) < MOST_NAMED:
                    self.links.append(event.name)
            case Planned():
                self.counts["planned"] += 1
            case Failed():
                self.counts["failed"] += 1
                self.failures.append(event)

    @property
    def exit_code(self) -> ExitCode:
        """4 where the archive is damaged, 3 where files failed, else 0."""
        if any(failure.damage for failure in self.failures):
            return ExitCode.DAMAGED
        return ExitCode.SOME_FAILED if self.failures else ExitCode.DONE


def tally(
    events: Generator[Event], show: Callable[[Event], None] = lambda _: None, outcome: Outcome | None = None
) -> Outcome:
    """Run a pipeline to its end: count its events, show each, and return what it came to.

    An interruption or an error here goes to the pipeline too, so that it closes what it has open, and what it has to
    say of that becomes a note of the error.

    Args:
        events: a pipeline's events, such as those of `compress_archive`.
        show: is called with each event, after it was counted.
        outcome: what to count into; a new one by default.
    """
    outcome = Outcome() if outcome is None else outcome
    try:
        for event in events:
            outcome.add(event)
            show(event)
    except BaseException as error:
        events.throw(error)
        raise
    return outcome
