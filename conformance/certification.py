"""One certification: the profile, what runs, and the results as they come in.

Listeners hear of every case, so that a terminal can show progress while files are written at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance.drafts import Builder, Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient, declared_secrets
from conformance.drivers.keys import KeySource
from conformance.end_to_end.platform import Platform
from conformance.entry_drafts import EntryBuilder
from conformance.errors import NotDeclared
from conformance.properties.story import Story
from conformance.verdicts import CaseResult
from contract.operations import Operation
from contract.profile import Profile
from contract.register import Tier

if TYPE_CHECKING:
    from conformance.catalog_client.jobs import Jobs
    from conformance.catalog_client.platform import Addresses

_AT_ONCE = 32
_NOT_THERE = {
    403: "check [connector] auth and its credentials, or declare a key that may enter",
    404: "the connector has no such path; check the path in [connector] url",
    405: "the connector takes no POST there; check the path in [connector] url",
}


@dataclass(frozen=True)
class Selection:
    """What to run: all of the tiers, or only some ids."""

    tiers: tuple[Tier, ...] = ("core",)
    only: tuple[str, ...] = ()
    deep: bool = False
    """Whether properties are searched for minutes instead of seconds."""
    story: Story = ()
    """The only story to play, where one was chosen."""


def _silent(_result: CaseResult) -> None:
    """Hear nothing."""


def utc_now() -> datetime:
    """Return the current time; a lane's process gets its clock by this name."""
    return datetime.now(UTC)


@dataclass
class Certification:
    """Everything that the scenarios of one run share: it is made once and handed to them."""

    profile: Profile
    selection: Selection = Selection()
    on_case: Callable[[CaseResult], None] = _silent
    on_selected: Callable[[int], None] = lambda _count: None
    now: Callable[[], datetime] = utc_now
    relay: Callable[[CaseResult], None] | None = None
    """Where a lane sends its results instead of keeping them."""
    controls: dict[str, str] = field(default_factory=dict)
    """By operation: why its unbroken request is refused, or empty; an operation that was not tried is absent."""
    side_by_side: int = 0
    """How many calls at once the connector answers in the time of one; 0 as long as nobody measured."""
    platform: Platform | None = None
    """The simulated platform, where a case is run through it."""
    catalog_platform: Addresses | None = None
    """A platform that runs already, for the catalog client; one is started where none is named."""
    catalog_client: Jobs | None = None
    """Gives jobs to the retailer's catalog client, where one is declared."""
    over_restart: dict[str, list[Exchange]] = field(default_factory=dict)
    """By operation: the answers before and after the one restart that the cases of single duplicates share."""
    results: dict[str, CaseResult] = field(default_factory=dict)
    _kept: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the parts that all scenarios use."""
        self.keys = KeySource(self.profile)
        self.build = Builder(self.profile, self.now)
        self.entry = EntryBuilder(self.profile, self.now)

    @contextmanager
    def client(self) -> Iterator[ConnectorClient]:
        """Open the connection to the connector for as long as scenarios run."""
        with ConnectorClient(self.profile, self.now, self._kept.append) as client:
            yield client

    def keep(self, exchanges: Iterable[Exchange]) -> None:
        """Keep exchanges that the suite did not make itself."""
        self._kept += exchanges

    def secrets(self) -> frozenset[str]:
        """Return the values of the profile that no report may show."""
        return frozenset(declared_secrets(self.profile))

    def exchanges_since_last(self) -> list[Exchange]:
        """Return the exchanges kept since the last call, oldest first."""
        kept, self._kept[:] = list(self._kept), []
        return kept

    def record(self, result: CaseResult) -> None:
        """Take a result in and tell the listener."""
        if self.relay:
            self.relay(result)
            return
        if result.id in self.results:
            self.results[result.id].add(result)
        else:
            self.results[result.id] = result
        self.on_case(self.results[result.id])

    def side_by_side_or_not(self, send: Callable[[Any], Exchange], each: Sequence[Any]) -> list[Exchange]:
        """Send many, at once as far as the connector was seen to answer side by side; the order stays."""
        with ThreadPoolExecutor(max(1, min(_AT_ONCE, self.side_by_side))) as pool:
            return list(pool.map(send, each))

    def send_each(self, client: ConnectorClient, drafts: Sequence[Draft]) -> list[Exchange]:
        """Send drafts as they are, see `side_by_side_or_not`."""
        return self.side_by_side_or_not(lambda draft: client.send(draft.operation, draft.encoded()), drafts)

    def needs_understanding(self, client: ConnectorClient, operation: Operation) -> None:
        """Make sure, once a run, that an unbroken request is not refused as invalid.

        A 400 for a broken request proves nothing when the unbroken one is answered 400 as well; NotDeclared then.
        """
        self.try_control(client, operation)
        if self.controls[operation.name]:
            raise NotDeclared(self.controls[operation.name])

    def try_control(self, client: ConnectorClient, operation: Operation) -> None:
        """Send an unbroken request, once a run, and note why it is refused as invalid."""
        if operation.name not in self.controls:
            exchange = client.send(operation, self.unbroken(operation).encoded())
            self.controls[operation.name] = self._why_not_understood(operation, exchange)

    def unbroken(self, operation: Operation) -> Draft:
        """Return a valid request of an operation, with what the profile declares."""
        other: dict[str, Callable[[], Draft]] = {
            "Create Purchases": self.build.cart,
            "Shopper Authorization": self.entry.authorization,
            "Resolve Scan": self.entry.scan,
            "Get Scan Details": self.entry.details,
        }
        if operation.name in other:
            return other[operation.name]()
        kind = self.keys.has("shopper")
        return self.build.scan(self.keys.take("shopper") if kind else self.keys.unknown())

    def _why_not_understood(self, operation: Operation, exchange: Exchange) -> str:
        """Say what stands between the suite and the call; empty when an unbroken request is understood."""
        status = exchange.answer.status if exchange.answer else 0
        if status == 400:  # noqa: PLR2004 - the refusal that the broken requests must get
            return self._why_refused(operation)
        if status in _NOT_THERE:
            return f"an unbroken request is answered {status}; {_NOT_THERE[status]}"
        return ""

    def _why_refused(self, operation: Operation) -> str:
        needed = {
            "[store] id": self.profile.store.id,
            "[catalog] skus": self.profile.catalog.skus or operation.name != "Create Purchases",
        }
        missing = [name for name, declared in needed.items() if not declared]
        hint = f"declare {' and '.join(missing)}" if missing else "check the store and the catalog of the profile"
        return f"an unbroken request is refused with 400 already, so a 400 proves nothing; {hint}"
