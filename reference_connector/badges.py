"""Badges: which of them open the gate, and how operators and owners change them.

The retailer files name badges, and the store has the records of those that were issued or changed at run time. A badge
opens only if both allow it: a refusal in the files stays, and of two expiries the earlier one counts. A badge opens
again and again. Amazon does not publish which credential types are supported, so the type is a free text.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from jwo_contract.values import format_instant
from reference_connector.accounts import check_account
from reference_connector.errors import BadgeConflict, CodeDenied, InvalidRequest, NotThere
from reference_connector.refused_scans import RefusedScans
from reference_connector.retailer import BADGE_OWNERS, Account, CurrentRetailer, Visitor
from reference_connector.scan_keys import Refusal, ScanKeys, owes_too_much
from reference_connector.store import Badge, BadgeState, Records, badge_place

_REFUSALS: dict[BadgeState, Refusal] = {"revoked": Refusal.BADGE_REVOKED, "lost": Refusal.BADGE_LOST}


class Badges:
    """Finds badges, and decides whether one opens the gate. Each method is a part of a unit of work."""

    def __init__(self, retailer: CurrentRetailer, codes: ScanKeys, credential: str) -> None:
        self._retailer = retailer
        self._codes = codes
        self._credential = credential

    def redeem(self, records: Records, text: str, scanned_at: datetime) -> Visitor | Refusal:
        """Return the owner of the badge with this text, or return why it is refused.

        The expiry counts against the time of the scan. Every refusal reads the same records, so that its time does not
        show its reason.
        """
        badge, retailer = self.find(records, text), self._retailer.current
        account = retailer.accounts.get(badge.owner) if badge else None
        debt = records.debt_of(account.visitor.id if account else "")
        if badge is None or account is None:
            return Refusal.UNKNOWN_KEY
        refusal = _refusal_of_badge(badge, scanned_at) or self._refusal_of_account(account, scanned_at)
        if refusal is not None:
            return refusal
        return Refusal.OWES if owes_too_much(account, debt, retailer.policy) else account.visitor

    def _refusal_of_account(self, account: Account, scanned_at: datetime) -> Refusal | None:
        if account.flagged:
            return Refusal.FLAGGED
        try:
            check_account(account, self._retailer.current.policy, scanned_at)
        except CodeDenied as denied:
            return Refusal(denied.code)
        return None

    def find(self, records: Records, badge_id: str) -> Badge | None:
        """Find a badge in the retailer files and in the store. Ids are compared exactly."""
        return _both(self._retailer.current.badges.get(badge_id), records.find_badge(badge_id))

    def of(self, records: Records, owner: str) -> list[Badge]:
        """List the badges of an account."""
        filed = {badge.id for badge in self._retailer.current.badges.values() if badge.owner == owner}
        found = filed | {badge.id for badge in records.badges_of(owner)}
        return [badge for badge in self._found(records, sorted(found, key=badge_place)) if badge.owner == owner]

    def page(self, records: Records, after: str, limit: int) -> list[Badge]:
        """List all badges, from the one that follows the badge `after`; the order is that of `badge_place`."""
        place = badge_place(after) if after else b""
        filed = (badge_id for badge_id in self._retailer.current.badges if badge_place(badge_id) > place)
        stored = (badge.id for badge in records.badges_after(place, limit))
        found = {*heapq.nsmallest(limit, filed, key=badge_place), *stored}
        return self._found(records, heapq.nsmallest(limit, found, key=badge_place))

    def _found(self, records: Records, ids: Iterable[str]) -> list[Badge]:
        return [badge for badge_id in ids if (badge := self.find(records, badge_id)) is not None]

    def issue(self, records: Records, wanted: Badge) -> Badge:
        """Issue a badge, also one that was lost or revoked before, and return it.

        Raises InvalidRequest if its owner cannot have one or its id is a Scan Key Code. Raises BadgeConflict if the
        retailer files decide otherwise, or the badge belongs to another account and is not revoked.
        """
        retailer = self._retailer.current
        account, filed = retailer.accounts.get(wanted.owner), retailer.badges.get(wanted.id)
        if account is None or account.visitor.type not in BADGE_OWNERS:
            raise InvalidRequest("owner is not a shopper or an associate of this retailer; add the account first")
        if self._codes.is_code(wanted.id):
            raise InvalidRequest("id has the form of the app's Scan Key Codes; take another id")
        if any(text == wanted.id for _, text in retailer.fixture_keys):
            raise BadgeConflict("id is also the text of a fixture key in the retailer files; take another id")
        if filed is not None:
            _check_filed(filed, wanted)
        before = records.find_badge(wanted.id)
        if before is not None and before.owner != wanted.owner and before.state != "revoked":
            raise BadgeConflict("the badge belongs to another account; revoke it first")
        records.save_badge(wanted._replace(credential=wanted.credential or self._credential))
        return self._needed(records, wanted.id)

    def change(self, records: Records, badge_id: str, state: Literal["revoked", "lost"], owner: str = "") -> Badge:
        """Revoke a badge or record that it is lost, and return it; a revoked badge stays revoked.

        Raises NotThere if there is no such badge, or if it does not belong to `owner`, where one is given.
        """
        badge = self.find(records, badge_id)
        if badge is None or (owner and badge.owner != owner):
            raise NotThere("there is no such badge")
        if badge.state != "revoked":
            records.save_badge(badge._replace(state=state))
        return self._needed(records, badge_id)

    def _needed(self, records: Records, badge_id: str) -> Badge:
        badge = self.find(records, badge_id)
        assert badge is not None, "this unit of work found or saved it"
        return badge

    def show(self, badge: Badge, now: datetime) -> dict[str, Any]:
        """Return a badge as JSON, with the state `expired` if its expiry is over."""
        shown = {
            "id": badge.id,
            "owner": badge.owner,
            "state": state_of(badge, now),
            "credential": badge.credential or self._credential,
        }
        return shown | ({"expires": format_instant(badge.expires_at)} if badge.expires_at else {})


class EntryKeys:
    """Redeems what a reader at the gate has read: a Scan Key Code of the app, or a badge.

    The text decides which of them it is, and not the channel: a badge may be shown as a QR code. No badge has the form
    of a Scan Key Code.
    """

    def __init__(self, codes: ScanKeys, badges: Badges, refused: RefusedScans) -> None:
        self._codes = codes
        self._badges = badges
        self._refused = refused

    def redeem(self, records: Records, text: str, event_id: str, scanned_at: datetime) -> Visitor | Refusal:
        """Return the owner of the code or the badge, or return why it is refused. A code is then used for the event.

        Record a refusal for the owner's phone.
        """
        if self._codes.is_code(text):
            found = self._codes.redeem(records, text, event_id, scanned_at)
        else:
            found = self._badges.redeem(records, text, scanned_at)
        if isinstance(found, Visitor):
            self._refused.forget(records, found.id)
        else:
            self.note_refusal(records, text, found)
        return found

    def note_refusal(self, records: Records, text: str, refusal: Refusal) -> None:
        """Record for the owner's phone why the gate stays closed."""
        if self._codes.is_code(text):
            owner = self._codes.owner(records, text)
        else:
            badge = self._badges.find(records, text)
            owner = badge.owner if badge else ""
        self._refused.note(records, owner, refusal)

    def give_back(self, records: Records, text: str, event_id: str) -> None:
        """Undo the use of a code by an event. A badge opens again and again, so nothing marks it as used."""
        if self._codes.is_code(text):
            self._codes.give_back(records, text, event_id)


def state_of(badge: Badge, at: datetime) -> str:
    """Return the state of a badge at an instant: issued, revoked, lost or expired."""
    return "expired" if badge.state == "issued" and _is_expired(badge, at) else badge.state


def _is_expired(badge: Badge, at: datetime) -> bool:
    return badge.expires_at is not None and at >= badge.expires_at


def _refusal_of_badge(badge: Badge, scanned_at: datetime) -> Refusal | None:
    if badge.state in _REFUSALS:
        return _REFUSALS[badge.state]
    return Refusal.BADGE_EXPIRED if _is_expired(badge, scanned_at) else None


def _both(filed: Badge | None, stored: Badge | None) -> Badge | None:
    """Return what the retailer files and the store say of a badge: the file's refusal, and the earlier expiry."""
    if filed is None or stored is None:
        return filed or stored
    ends = [end for end in (filed.expires_at, stored.expires_at) if end is not None]
    state = stored.state if filed.state == "issued" else filed.state
    return filed._replace(state=state, expires_at=min(ends, default=None))


def _check_filed(filed: Badge, wanted: Badge) -> None:
    """Check a badge to be issued against its row in the retailer files. Raises BadgeConflict if they differ."""
    if filed.state != "issued":
        raise BadgeConflict(f"the retailer files say that the badge is {filed.state}; correct them first")
    if filed.owner != wanted.owner:
        raise BadgeConflict("the retailer files give the badge to another account; correct them first")
    never = datetime.max.replace(tzinfo=UTC)
    if wanted.expires_at is not None and wanted.expires_at > (filed.expires_at or never):
        raise BadgeConflict("the retailer files let the badge expire earlier; correct them first")
