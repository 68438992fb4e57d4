"""Faults of a payment client. `python -m conformance.mutants.payment_client_faults NAME` runs a client with a fault."""

from __future__ import annotations

import sys
import time
import uuid
from decimal import Decimal
from pathlib import Path

from conformance.mutants.registry import PAYMENT_FAULTS
from conformance.mutants.small_client import FAILED, THROTTLED, UNAVAILABLE, Document, Reply
from conformance.mutants.small_payment_client import CAPTURE, REFUND, SmallPaymentClient, main

_fault = PAYMENT_FAULTS.fault
_BAD_REQUEST = 400


# signing and shape


@_fault("PAY-X.1")
class signs_no_payment_call(SmallPaymentClient):
    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        return {}


@_fault("PAY-X.1")
class signs_payment_calls_for_another_service(SmallPaymentClient):
    service = "payments"


@_fault("PAY-X.2")
class sends_amounts_as_texts(SmallPaymentClient):
    def money(self, amount: Decimal, currency: str) -> str:
        return f'{{"amount": "{amount:.2f}", "code": "{currency}"}}'


@_fault("PAY-X.2")
class sends_binary_fractions(SmallPaymentClient):
    def money(self, amount: Decimal, currency: str) -> str:
        return f'{{"amount": {0.1 * 3 + float(amount) - 0.3!r}, "code": "{currency}"}}'


@_fault("PAY-X.2")
class forgets_the_currency(SmallPaymentClient):
    def money(self, amount: Decimal, currency: str) -> str:
        return f'{{"amount": {amount:.2f}}}'


# charging


@_fault("PAY-X.3", "PAY-X.4")
class captures_what_was_reserved(SmallPaymentClient):
    def capture(self, trip: Document, total: Decimal) -> None:
        super().capture(trip, min(total, Decimal(50)))


@_fault("PAY-X.3")
class adjusts_by_the_difference(SmallPaymentClient):
    def approved(self, trip: Document, total: Decimal) -> str:
        return super().approved(trip, abs(total - 50))

    def capture(self, trip: Document, total: Decimal) -> None:
        super().capture(trip, abs(total - 50))


@_fault("PAY-X.3")
class cuts_a_cent(SmallPaymentClient):
    def charge_or_cancel(self, trip: Document) -> bool:
        cents = int(float(trip["total"]) * 100)
        return super().charge_or_cancel({**trip, "total": str(Decimal(cents) / 100)})


@_fault("PAY-X.3")
class charges_the_first_trip_only(SmallPaymentClient):
    def run(self, job: Document) -> int:
        return super().run({**job, "trips": job["trips"][:1]})


@_fault("PAY-X.4")
class captures_without_an_adjustment(SmallPaymentClient):
    def approved(self, trip: Document, total: Decimal) -> str:
        return "APPROVED" if total <= Decimal(50) else super().approved(trip, total)


@_fault("PAY-X.4")
class captures_before_it_adjusts(SmallPaymentClient):
    def charge_or_cancel(self, trip: Document) -> bool:
        total = Decimal(trip["total"])
        if total and total <= Decimal(50):
            self.capture(trip, total)
            return True
        return super().charge_or_cancel(trip)


@_fault("PAY-X.5")
class captures_each_trip_twice(SmallPaymentClient):
    def capture(self, trip: Document, total: Decimal) -> None:
        super().capture(trip, total)
        super().capture(trip, total)


@_fault("PAY-X.5")
class captures_all_trips_again_at_the_end(SmallPaymentClient):
    def run(self, job: Document) -> int:
        code = super().run(job)
        for trip in job["trips"]:
            if trip["shoppingTripId"] in self.captured:
                self.capture(trip, Decimal(trip["total"]))
        return code


@_fault("PAY-X.5")
class captures_a_cent_more_after_a_lost_answer(SmallPaymentClient):
    _lost = False

    def send_signed(self, path: str, body: bytes) -> Reply:
        if path == CAPTURE and self._lost:
            body = body.replace(b"12.30", b"12.31")
        reply = super().send_signed(path, body)
        self._lost = path == CAPTURE and not reply.status
        return reply


@_fault("PAY-X.6")
class skips_the_empty_cart(SmallPaymentClient):
    def cancel(self, trip: Document) -> None:
        pass


@_fault("PAY-X.6")
class captures_nothing_for_the_empty_cart(SmallPaymentClient):
    def cancel(self, trip: Document) -> None:
        self.approved(trip, Decimal(0))
        super().capture(trip, Decimal(0))


@_fault("PAY-X.6")
class adjusts_the_empty_cart_first(SmallPaymentClient):
    def cancel(self, trip: Document) -> None:
        self.approved(trip, Decimal(0))
        super().cancel(trip)


# refunds


@_fault("PAY-X.7")
class refunds_the_whole_total(SmallPaymentClient):
    def refund(self, refund: Document) -> bool:
        captured = self.captured.get(refund["shoppingTripId"], Decimal(0))
        return super().refund({**refund, "amount": f"{captured:.2f}"})


@_fault("PAY-X.7")
class gives_every_refund_the_same_reason(SmallPaymentClient):
    def refund(self, refund: Document) -> bool:
        return super().refund({**refund, "reason": "OTHER"})


@_fault("PAY-X.7")
class forgets_refunds(SmallPaymentClient):
    def refund(self, refund: Document) -> bool:
        return True


@_fault("PAY-X.7", "PAY-X.9")
class derives_the_id_from_the_amount(SmallPaymentClient):
    def refund_request_id(self, refund: Document) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{refund['shoppingTripId']}/{refund['amount']}"))


@_fault("PAY-X.8")
class makes_a_new_id_for_each_attempt(SmallPaymentClient):
    def send_signed(self, path: str, body: bytes) -> Reply:
        if path == REFUND:
            given = body.split(b'"refundRequestId": "')[1][:36]
            body = body.replace(given, str(uuid.uuid4()).encode())
        return super().send_signed(path, body)


# errors of the platform


@_fault("PAY-X.10")
class gives_up_on_429(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == THROTTLED else super().pause_s(reply, attempt)


@_fault("PAY-X.11")
class tries_429_at_once(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return 0.0 if reply.status == THROTTLED else super().pause_s(reply, attempt)


@_fault("PAY-X.12")
class gives_up_on_500(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == FAILED else super().pause_s(reply, attempt)


@_fault("PAY-X.13")
class gives_up_on_503(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == UNAVAILABLE else super().pause_s(reply, attempt)


@_fault("PAY-X.14")
class takes_a_lost_answer_for_a_refusal(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return super().pause_s(reply, attempt) if reply.status else None


@_fault("PAY-X.15")
class gives_up_on_pending(SmallPaymentClient):
    def is_open(self, status: str) -> bool:
        return False


@_fault("PAY-X.16")
class takes_pending_for_approved(SmallPaymentClient):
    def is_open(self, status: str) -> bool:
        return False

    def may_capture(self, status: str) -> bool:
        return status != "DECLINED"


@_fault("PAY-X.17")
class captures_what_is_declined(SmallPaymentClient):
    def may_capture(self, status: str) -> bool:
        return True


@_fault("PAY-X.18")
class tries_400_again(SmallPaymentClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return 0.05 if reply.status == _BAD_REQUEST else super().pause_s(reply, attempt)


@_fault("PAY-X.19")
class stops_at_the_first_refusal(SmallPaymentClient):
    def charge(self, trip: Document) -> bool:
        return self.charge_or_cancel(trip)


# the report


@_fault("PAY-X.20")
class reports_totals_of_binary_fractions(SmallPaymentClient):
    def report(self) -> None:
        super().report()
        path = Path(self.environment["PAYMENT_RESULT"])
        exact = f"{sum(self.captured.values()):.2f}"
        path.write_text(path.read_text("utf-8").replace(f'"{exact}"', f'"{float(exact) + 0.005!r}"'), "utf-8")


@_fault("PAY-X.20")
class reports_refunds_as_captured(SmallPaymentClient):
    def report(self) -> None:
        self.captured |= self.refunded
        super().report()


@_fault("PAY-X.21", slow=True)
class never_ends_its_day(SmallPaymentClient):
    def report(self) -> None:
        super().report()
        time.sleep(600)


if __name__ == "__main__":
    sys.exit(main(PAYMENT_FAULTS.class_of("".join(sys.argv[1:2]))))
