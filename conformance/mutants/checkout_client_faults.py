"""Faults of a checkout client. `python -m conformance.mutants.checkout_client_faults NAME` runs one of them."""

from __future__ import annotations

import sys
import time
import uuid
from decimal import Decimal

from conformance.mutants.registry import CHECKOUT_FAULTS
from conformance.mutants.small_checkout_client import SmallCheckoutClient, main
from conformance.mutants.small_client import FAILED, THROTTLED, Document, Reply

_fault = CHECKOUT_FAULTS.fault
_BAD_REQUEST = 400


# signing and shape


@_fault("CHK-X.1")
class signs_no_checkout_call(SmallCheckoutClient):
    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        return {}


@_fault("CHK-X.1")
class signs_checkout_calls_without_their_token(SmallCheckoutClient):
    def session_token(self) -> str:
        return ""


@_fault("CHK-X.2")
class sends_amounts_as_numbers(SmallCheckoutClient):
    def money(self, amount: Decimal, currency: str) -> Document:
        return {"amount": float(amount), "currencyCode": currency}


@_fault("CHK-X.2")
class drops_zeros_at_the_end(SmallCheckoutClient):
    def money(self, amount: Decimal, currency: str) -> Document:
        return {"amount": f"{amount.normalize():f}", "currencyCode": currency}


@_fault("CHK-X.2")
class names_another_kind_of_product(SmallCheckoutClient):
    def line(self, line: Document, currency: str) -> Document:
        return {**super().line(line, currency), "type": "UPC"}


# the money


@_fault("CHK-X.3")
class forgets_promotions_in_the_total(SmallCheckoutClient):
    def totals(self, cart: Document) -> Document:
        totals = super().totals(cart)
        price = self.sum_of(cart, "price", "deposit", "tax")
        return {**totals, "priceTotal": self.money(price, cart["currency"])}


@_fault("CHK-X.3")
class loses_a_cent_of_the_tax(SmallCheckoutClient):
    def totals(self, cart: Document) -> Document:
        tax = self.sum_of(cart, "tax") - Decimal("0.01")
        return {**super().totals(cart), "salesTaxTotal": self.money(tax, cart["currency"])}


@_fault("CHK-X.3")
class taxes_the_sum_once_more(SmallCheckoutClient):
    def totals(self, cart: Document) -> Document:
        tax = (self.sum_of(cart, "price") * Decimal("0.0825")).quantize(Decimal("0.01"))
        return {**super().totals(cart), "salesTaxTotal": self.money(tax + Decimal("0.03"), cart["currency"])}


@_fault("CHK-X.4")
class charges_without_tax(SmallCheckoutClient):
    def body(self, cart: Document) -> Document:
        return super().body({**cart, "lines": [{**line, "tax": "0.00"} for line in cart["lines"]]})


@_fault("CHK-X.4")
class ignores_promotions(SmallCheckoutClient):
    def body(self, cart: Document) -> Document:
        return super().body({**cart, "lines": [{**line, "promotion": "0.00"} for line in cart["lines"]]})


@_fault("CHK-X.4")
class ignores_deposits(SmallCheckoutClient):
    def body(self, cart: Document) -> Document:
        return super().body({**cart, "lines": [{**line, "deposit": "0.00"} for line in cart["lines"]]})


@_fault("CHK-X.4", "CHK-X.5")
class sends_the_first_ten_lines(SmallCheckoutClient):
    def body(self, cart: Document) -> Document:
        return super().body({**cart, "lines": cart["lines"][:10]})


@_fault("CHK-X.5")
class cuts_weights(SmallCheckoutClient):
    def line(self, line: Document, currency: str) -> Document:
        return super().line({**line, "quantity": str(max(1, int(float(line["quantity"]))))}, currency)


@_fault("CHK-X.5")
class keeps_one_line_of_each_sku(SmallCheckoutClient):
    def body(self, cart: Document) -> Document:
        return super().body({**cart, "lines": list({line["sku"]: line for line in cart["lines"]}.values())})


@_fault("CHK-X.6")
class sends_the_empty_cart(SmallCheckoutClient):
    def is_sent(self, cart: Document) -> bool:
        return True


# errors of the platform


@_fault("CHK-X.7")
class makes_a_new_trip_id_for_each_attempt(SmallCheckoutClient):
    _attempts = 0

    def send_signed(self, path: str, body: bytes) -> Reply:
        self._attempts += 1
        if self._attempts > 1:
            body = body.replace(b'"idempotentShoppingTripId": "', b'"idempotentShoppingTripId": "' + _fresh())
        return super().send_signed(path, body)


@_fault("CHK-X.7")
class changes_the_cart_between_attempts(SmallCheckoutClient):
    _attempts = 0

    def send_signed(self, path: str, body: bytes) -> Reply:
        self._attempts += 1
        return super().send_signed(path, body.replace(b"SKU-001", b"SKU-%03d" % self._attempts))


@_fault("CHK-X.8")
class gives_up_on_429(SmallCheckoutClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == THROTTLED else super().pause_s(reply, attempt)


@_fault("CHK-X.9")
class tries_429_at_once(SmallCheckoutClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return 0.0 if reply.status == THROTTLED else super().pause_s(reply, attempt)


@_fault("CHK-X.10")
class gives_up_on_500(SmallCheckoutClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == FAILED else super().pause_s(reply, attempt)


@_fault("CHK-X.11")
class takes_a_lost_answer_for_a_refusal(SmallCheckoutClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return super().pause_s(reply, attempt) if reply.status else None


@_fault("CHK-X.12")
class tries_400_again(SmallCheckoutClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return 0.05 if reply.status == _BAD_REQUEST else super().pause_s(reply, attempt)


@_fault("CHK-X.13")
class stops_at_the_first_refused_cart(SmallCheckoutClient):
    def send_cart(self, cart: Document) -> bool:
        self.check_out(cart)
        return True


@_fault("CHK-X.14")
class reports_prices_without_tax(SmallCheckoutClient):
    def check_out(self, cart: Document) -> None:
        super().check_out(cart)
        self.orders[cart["shoppingTripId"]] = self.sum_of(cart, "price")


@_fault("CHK-X.14")
class reports_a_wrong_sum(SmallCheckoutClient):
    def report(self) -> None:
        self.orders |= {"TOTAL": sum(self.orders.values(), Decimal(0))}
        super().report()


@_fault("CHK-X.15", slow=True)
class never_ends_its_carts(SmallCheckoutClient):
    def report(self) -> None:
        super().report()
        time.sleep(600)


def _fresh() -> bytes:
    return uuid.uuid4().hex.encode()


if __name__ == "__main__":
    sys.exit(main(CHECKOUT_FAULTS.class_of("".join(sys.argv[1:2]))))
