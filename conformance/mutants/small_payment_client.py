"""A small, correct payment client. Each fault is a subclass that overrides the method that it breaks."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from decimal import Decimal
from pathlib import Path

from conformance.mutants.small_client import Document, GaveUp, SmallClient

ADJUST, CAPTURE, CANCEL, REFUND = "/v1/adjust/charge", "/v1/capture/charge", "/v1/cancel/charge", "/v1/refund"
_ASK_EVERY_S, _MOST_ASKS = 0.2, 20


class SmallPaymentClient(SmallClient):
    """Adjusts and captures each trip, cancels empty carts, makes the refunds, and reports the amounts."""

    prefix = "PAYMENT"

    def __init__(self, environment: os._Environ[str]) -> None:
        super().__init__(environment)
        self.captured: dict[str, Decimal] = {}
        self.refunded: dict[str, Decimal] = {}

    def run(self, job: Document) -> int:
        """Do the job and return the exit code: 1 if a trip or a refund failed."""
        failed = sum(not self.charge(trip) for trip in job["trips"])
        failed += sum(not self.refund(refund) for refund in job["refunds"])
        self.report()
        return int(failed > 0)

    def charge(self, trip: Document) -> bool:
        """Charge one trip and return whether that worked."""
        try:
            return self.charge_or_cancel(trip)
        except GaveUp as error:
            print(error, file=sys.stderr)  # noqa: T201 - the client's output
            return False

    def charge_or_cancel(self, trip: Document) -> bool:
        """Take the total of a cart, or cancel the charge of an empty one. Raises GaveUp if the platform refuses."""
        total = Decimal(trip["total"])
        if not total:
            self.cancel(trip)
            return True
        if not self.may_capture(self.approved(trip, total)):
            return False
        self.capture(trip, total)
        return True

    def cancel(self, trip: Document) -> None:
        """Cancel a charge."""
        self.call(CANCEL, self.body(trip))

    def approved(self, trip: Document, total: Decimal) -> str:
        """Adjust to a total, again while it is pending, and return the last status."""
        for _ in range(_MOST_ASKS):
            status = str(self.call(ADJUST, self.body(trip, amount=total))["status"])
            if not self.is_open(status):
                return status
            time.sleep(_ASK_EVERY_S)
        return status

    def is_open(self, status: str) -> bool:
        """Return whether an adjustment must be tried again."""
        return status == "PENDING"

    def may_capture(self, status: str) -> bool:
        """Return whether a trip may be captured."""
        return status == "APPROVED"

    def capture(self, trip: Document, total: Decimal) -> None:
        """Take an amount."""
        self.call(CAPTURE, self.body(trip, amount=total))
        self.captured[trip["shoppingTripId"]] = total

    def refund(self, refund: Document) -> bool:
        """Make one refund and return whether that worked."""
        try:
            self.call(REFUND, self.refund_body(refund, self.refund_request_id(refund)))
        except GaveUp as error:
            print(error, file=sys.stderr)  # noqa: T201 - the client's output
            return False
        self.refunded[refund["refundId"]] = Decimal(refund["amount"])
        return True

    def refund_request_id(self, refund: Document) -> str:
        """Return the id of a refund, which a crash would not change."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{refund['shoppingTripId']}/{refund['refundId']}"))

    def refund_body(self, refund: Document, request_id: str) -> bytes:
        """Return the body of a refund."""
        named = {"refundRequestId": request_id, "refundReasonCode": refund["reason"]}
        return self.body(refund, amount=Decimal(refund["amount"]), **named)

    def body(self, trip: Document, amount: Decimal | None = None, **more: str) -> bytes:
        """Return the body of a call, with the exact digits of its amount."""
        ids = {"storeId": trip["storeId"], "shoppingTripId": trip["shoppingTripId"], **more}
        text = json.dumps(ids)
        if amount is None:
            return text.encode()
        return f'{text[:-1]}, "amount": {self.money(amount, trip["currency"])}}}'.encode()

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount as JSON."""
        return f'{{"amount": {amount:.2f}, "code": "{currency}"}}'

    def report(self) -> None:
        """Write what was captured and refunded."""
        report = {
            "captured": {trip: f"{amount:.2f}" for trip, amount in self.captured.items()},
            "refunded": {refund: f"{amount:.2f}" for refund, amount in self.refunded.items()},
            "capturedTotal": f"{sum(self.captured.values(), Decimal(0)):.2f}",
            "refundedTotal": f"{sum(self.refunded.values(), Decimal(0)):.2f}",
        }
        Path(self.environment["PAYMENT_RESULT"]).write_text(json.dumps(report), encoding="utf-8")


def main(client: type[SmallPaymentClient] = SmallPaymentClient) -> int:
    """Do the job that the environment names, and return the exit code."""
    return client(os.environ).run(json.loads(Path(os.environ["PAYMENT_JOB"]).read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
