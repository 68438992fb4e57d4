"""The entry tier of the small connector: correct Shopper Authorization, Resolve Scan and Get Scan Details."""

from __future__ import annotations

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import Body, text_at

REFUSED_SHOPPERS = {"card-risk", "card-invalid", "card-expired", "card-debt"}
ADJUSTED_SHOPPER = "card-small"
MEMBERS = {"bG95YWx0eS0x": "loyalty-1"}
"""Base64 of the scanned code, and the member's id."""


class SmallEntryTier:
    """Answers valid requests of the entry tier; a fault overrides the method that it breaks."""

    def authorize(self, request: Request) -> Reply:
        """Answer Shopper Authorization."""
        shopper = text_at(request.body, "shopperIdentity.id")
        return self.authorization(refused=self.is_refused(request.body), adjusted=shopper == ADJUSTED_SHOPPER)

    def is_refused(self, body: Body) -> bool:
        """Decide about a shopper by the retailer's own data, without Amazon's recommendation."""
        return text_at(body, "shopperIdentity.id") in REFUSED_SHOPPERS

    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        """Return the answer to a tap."""
        answer: Body = {"shopperAuthorized": not refused}
        if adjusted:
            answer["authorizationConditions"] = [{"type": "ADJUST", "amount": {"value": 25, "currencyCode": "USD"}}]
        return Reply(200, answer)

    def resolve(self, request: Request) -> Reply:
        """Answer Resolve Scan."""
        member = self.member_of(text_at(request.body, "scanEvent.value"))
        return self.accepted(member) if member else self.rejected()

    def member_of(self, code: str) -> str:
        """Return the member with this code; empty for an unknown code."""
        return MEMBERS.get(code, "")

    def accepted(self, member: str) -> Reply:
        """Return the answer to a member's scan."""
        return Reply(200, {"action": "ACCEPT", "id": member, "type": "LOYALTY"})

    def rejected(self) -> Reply:
        """Return the answer to an unknown code."""
        return Reply(200, {"action": "REJECT"})

    def details(self, request: Request) -> Reply:
        """Answer Get Scan Details."""
        known = self.is_member(text_at(request.body, "scanResult.id"))
        return self.member_details() if known else error(404, "no such member")

    def is_member(self, member: str) -> bool:
        """Say whether Resolve Scan gave out this id."""
        return member in MEMBERS.values()

    def member_details(self) -> Reply:
        """Return the details of a member."""
        return Reply(200, {"provider": "Corner Club", "promotionIds": []})
