"""Faults of trips: the key of a remembered trip, which kinds of carts are remembered, and the answers to them."""

from __future__ import annotations

import json
import re
import unicodedata
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from conformance.mutants.http_app import CALLS, Receive, Reply, Request, Scope, Send, error
from conformance.mutants.json_values import Body, any_value, at, cut, entries_of, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import Purchase, SmallConnector, new_id, trip_of

_fault = CONNECTOR_FAULTS.fault
_EVENTS, _EVENT, _ITEM = "shoppingTrip.authEvents", "shoppingTrip.authEvents[]", "cartItems[]"
_VALUE, _IDENTIFIERS = f"{_ITEM}.quantity.value", f"{_ITEM}.externalIdentifiers"
_ENUMS = (f"{_EVENT}.payloadType", f"{_EVENT}.location", f"{_EVENT}.scanResult.type", f"{_ITEM}.type",
          f"{_IDENTIFIERS}[].type")  # fmt: skip
_TEXTS = (f"{_ITEM}.id", f"{_ITEM}.lineItemId", f"{_EVENT}.scanResult.id", "shopperIdentity.id", "shopperDeviceId",
          f"{_IDENTIFIERS}[].id")  # fmt: skip
_TIMES = ("shoppingTrip.startTime", "shoppingTrip.endTime", f"{_EVENT}.timestamp")
_VALID_UUID = "00000000-0000-4000-8000-000000000000"
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_SLOW_S = 2.3

Change = Callable[[Any], Any]

# keys of trips that are too short, or too long


def _key(name: str, found_by: str, key: Callable[[Request], str]) -> None:
    """Register a fault that remembers trips by another key."""
    trip_key = {"trip_key": lambda _self, request: key(request)}
    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (SmallConnector,), trip_key))


def _text_key(name: str, found_by: str, change: Callable[[str], str]) -> None:
    _key(name, found_by, lambda request: change(trip_of(request.body)))


def _hash_of_32_bits(text: str) -> str:
    value = 0
    for unit in text:
        value = (31 * value + ord(unit)) % 2**32
    return str(value)


def _is_loosely_a_number(text: str) -> str:
    return str(float(text)) if re.fullmatch(r"[0-9]+(e[0-9]+)?", text) else text


def _without_marks(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


_text_key("keys_by_16_characters", "CP-X.91", lambda text: text[:16])
_text_key("keys_by_35_characters", "CP-X.91", lambda text: text[:35])
_text_key("keys_by_the_last_12_characters", "CP-X.91", lambda text: text[-12:])
_text_key("keys_by_sorted_characters", "CP-X.91", lambda text: "".join(sorted(text)))
_text_key("keys_by_sorted_groups", "CP-X.91", lambda text: "-".join(sorted(text.split("-"))))
_text_key("keys_without_case", "CP-X.92", str.lower)
_text_key("keys_with_folded_case", "CP-X.92", str.casefold)
_text_key("keys_without_blanks_around", "CP-X.92", str.strip)
_text_key("keys_without_blanks_at_the_end", "CP-X.92", str.rstrip)
_text_key("keys_in_latin_1", "CP-X.92", lambda text: text.encode("latin-1", "replace").decode("latin-1"))
_text_key("keys_of_three_bytes", "CP-X.92", lambda text: re.sub("[\U00010000-\U0010ffff]", "?", text))
_text_key("keys_of_letters_and_digits", "CP-X.92", cut(r"[^0-9A-Za-z]"))
_text_key("keys_in_nfc", "CP-X.92", lambda text: unicodedata.normalize("NFC", text))
_text_key("keys_in_nfkc", "CP-X.92", lambda text: unicodedata.normalize("NFKC", text))
_text_key("keys_without_accents", "CP-X.92", _without_marks)
_text_key("keys_decoded_from_percent", "CP-X.92", urllib.parse.unquote)
_text_key("keys_with_plus_as_blank", "CP-X.92", lambda text: text.replace("+", " "))
_text_key("keys_without_zero_width", "CP-X.92", cut("\u200b"))
_text_key("keys_after_a_slash", "CP-X.92", lambda text: text.rpartition("/")[2])
_text_key("keys_up_to_a_nul", "CP-X.92", lambda text: text.partition("\0")[0])
_text_key("keys_up_to_a_dot", "CP-X.92", lambda text: text.partition(".")[0])
_text_key("keys_up_to_a_hash_sign", "CP-X.92", lambda text: text.partition("#")[0])
_text_key("keys_of_32_bits", "CP-X.92", _hash_of_32_bits)
_text_key("keys_compared_as_numbers", "CP-X.92", _is_loosely_a_number)
_key("keys_with_the_entry", "CP-X.93", lambda request: trip_of(request.body) + str(at(request.body, f"{_EVENT}.id")))
_key("keys_with_the_end", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, _TIMES[1]))
_key("keys_with_the_start", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, _TIMES[0]))
_key("keys_with_the_lines", "CP-X.93", lambda request: trip_of(request.body) + str(at(request.body, f"{_ITEM}.id")))
_key("keys_with_the_number_of_lines", "CP-X.93", lambda request: trip_of(request.body) + str(len(request.items)))
_key("keys_with_the_shopper", "CP-X.93", lambda request: (
    trip_of(request.body) + str(at(request.body, f"{_EVENT}.scanResult.id"))
))  # fmt: skip
_key(
    "keys_with_the_device", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, "shopperDeviceId")
)
_key("keys_with_the_store", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, "storeId"))
_key("keys_with_all_names", "CP-X.93", lambda request: trip_of(request.body) + str(sorted(request.body)))


@_fault("CP-X.91")
class remembers_request_ids_too(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        known: Purchase | None = self.purchases.get(text_at(request.body, "requestId"))
        if known is not None and known.id:
            return self.sold(known.id)
        reply = await super().sale(trip, request)
        self.purchases.keep(text_at(request.body, "requestId"), self.purchases.get(trip), request)
        return reply


@_fault("CP-X.91")
class keeps_scans_and_trips_together(SmallConnector):
    def trip_key(self, request: Request) -> str:
        trip = super().trip_key(request)
        if isinstance(self.decisions.get(trip), Reply):
            self.purchases.keep(trip, Purchase("", []), request)
        return trip


@_fault("CP-X.93")
class keeps_the_last_cart(SmallConnector):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        if purchase.lines == request.items:
            return super().sold_before(purchase, request)
        return self.sold(self.buy(trip_of(request.body), request).id)


# kinds of carts that are forgotten


def _forgets(name: str, found_by: str, forgets: Callable[[Body], bool]) -> None:
    """Register a fault that makes a new purchase each time for some carts."""

    def trip_key(self: SmallConnector, request: Request) -> str:
        return new_id() if forgets(request.body) else SmallConnector.trip_key(self, request)

    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (SmallConnector,), {"trip_key": trip_key}))


_forgets("forgets_groups", "CP-X.94", lambda body: len(entries_of(body)) > 1)
_forgets("forgets_entries_by_card", "CP-X.94", any_value(f"{_EVENT}.payloadType", lambda text: text == "FINANCIAL"))
_forgets("forgets_staffed_entries", "CP-X.94", any_value(f"{_EVENT}.location", lambda text: text == "MANUAL_IN_STORE"))
_forgets("forgets_associates", "CP-X.94", any_value(f"{_EVENT}.scanResult.type", lambda text: text == "ASSOCIATE"))
_forgets("forgets_the_loyal", "CP-X.94", any_value(f"{_EVENT}.scanResult.type", lambda text: text == "LOYALTY"))
_forgets("forgets_the_anonymous", "CP-X.94", lambda body: not any(at(body, f"{_EVENT}.scanResult")))
_forgets("forgets_devices", "CP-X.94", lambda body: "shopperDeviceId" in body)
_forgets("forgets_weights", "CP-X.94", any_value(_VALUE, lambda text: float(text) % 1))
_forgets("forgets_scanned_codes", "CP-X.94", any_value(f"{_ITEM}.type", lambda text: text == "SCANCODE"))
_forgets("forgets_many_lines", "CP-X.94", lambda body: len(at(body, _ITEM)) > 30)  # noqa: PLR2004 - the fault's own limit
_forgets("forgets_other_stores", "CP-X.94", lambda body: text_at(body, "storeId").endswith("2"))
_forgets("forgets_unknown_items", "CP-X.94", any_value(f"{_ITEM}.id", lambda text: text.startswith("NO-SUCH")))
_forgets("forgets_long_trip_ids", "CP-X.94", any_value("idempotentShoppingTripId", lambda text: len(text) > 200))  # noqa: PLR2004 - the fault's own limit
_forgets("forgets_other_alphabets", "CP-X.94", any_value("idempotentShoppingTripId", lambda text: not text.isascii()))


class _Counts(SmallConnector):
    """The base of faults that answer a repetition by its number."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.sent: dict[str, int] = {}

    async def sale(self, trip: str, request: Request) -> Reply:
        self.sent[trip] = self.sent.get(trip, 0) + 1
        return await super().sale(trip, request)


@_fault("CP-X.95")
class forgets_after_one_repetition(_Counts):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return self.sold(new_id() if self.sent[trip_of(request.body)] > 2 else purchase.id)  # noqa: PLR2004 - the second call


@_fault("CP-X.95")
class forgets_after_four_calls(_Counts):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return self.sold(new_id() if self.sent[trip_of(request.body)] > 4 else purchase.id)  # noqa: PLR2004 - the fault's own limit


class _ForgetsAtRefusal(SmallConnector):
    """The base of faults that forget something when they refuse a cart."""

    def refuse(self, request: Request, problem: str) -> Reply:
        if request.call == "cart" and self.forgets_at(problem):
            self.forget(request)
        return super().refuse(request, problem)

    def forgets_at(self, problem: str) -> bool:
        """Say whether the problem of a refused cart makes the connector forget."""
        return bool(problem)

    def forget(self, request: Request) -> None:
        """Forget some purchases; the default is the last one."""
        del request
        if self.purchases.kept:
            self.purchases.kept.popitem()


@_fault("CP-X.95")
class rolls_the_last_purchase_back(_ForgetsAtRefusal):
    pass


@_fault("CP-X.95")
class forgets_a_trip_at_its_refusal(_ForgetsAtRefusal):
    def forget(self, request: Request) -> None:
        self.purchases.kept.pop(trip_of(request.body), None)


@_fault("CP-X.95")
class forgets_at_an_unknown_store(_ForgetsAtRefusal):
    def forgets_at(self, problem: str) -> bool:
        return problem == "accepts_a_cart_of_an_unknown_store"


@_fault("CP-X.96")
class keeps_no_empty_trips(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        return await super().sale(trip, request) if request.items else self.sold("")


# answers to kinds of carts


class _AnswersKinds(SmallConnector, ABC):
    """The base of faults that answer some carts, or repetitions, in another way."""

    async def cart(self, request: Request) -> Reply:
        is_repeated = self.purchases.get(self.trip_key(request)) is not None
        reply = await super().cart(request)
        return self.changed(reply) if self.is_odd(request.body, is_repeated=is_repeated) else reply

    @abstractmethod
    def is_odd(self, body: Body, *, is_repeated: bool) -> bool:
        """Say whether the cart gets another answer."""

    @abstractmethod
    def changed(self, reply: Reply) -> Reply:
        """Return the other answer."""


def _answers(name: str, found_by: str, is_odd: Callable[[Body, bool], bool], changed: Callable[[Reply], Reply]) -> None:
    """Register a fault that changes the answer to some carts."""
    methods = {
        "is_odd": lambda _self, body, is_repeated: is_odd(body, is_repeated),
        "changed": lambda _self, reply: changed(reply),
    }
    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (_AnswersKinds,), methods))


def _as_html(reply: Reply) -> Reply:
    return replace(reply, headers=((b"content-type", b"text/html; charset=utf-8"),))


def _without_type(reply: Reply) -> Reply:
    return replace(reply, headers=())


def _with_status(status: int) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, status=status)


def _named(name: str, change: Callable[[str], object] = str) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, body={name: change(reply.body["purchaseId"])})


def _is_group(body: Body) -> bool:
    return len(entries_of(body)) > 1


def _is_weighed(body: Body) -> bool:
    return "lb" in at(body, f"{_ITEM}.quantity.unit")


def _is_scanned(body: Body) -> bool:
    return "SCANCODE" in at(body, f"{_ITEM}.type")


def _is_by(kind: str) -> Callable[[Body, bool], bool]:
    return lambda body, _again: kind in at(body, f"{_EVENT}.scanResult.type")


_answers("answers_groups_with_200", "CP-X.97", lambda body, _again: _is_group(body), _with_status(200))
_answers("answers_large_carts_with_202", "CP-X.97", lambda body, _again: len(at(body, _ITEM)) > 20, _with_status(202))  # noqa: PLR2004 - the fault's own limit
_answers("counts_scanned_purchases", "CP-X.97", lambda body, _again: _is_scanned(body), _named("purchaseId", len))
_answers("names_loyal_purchases_otherwise", "CP-X.97", _is_by("LOYALTY"), _named("purchase_id"))
_answers("leaves_associates_ids_empty", "CP-X.97", _is_by("ASSOCIATE"), _named("purchaseId", lambda _id: ""))
_answers(
    "answers_weights_with_null",
    "CP-X.97",
    lambda body, _again: _is_weighed(body),
    _named("purchaseId", lambda _id: None),
)
_answers("names_repeated_purchases_otherwise", "CP-X.97", lambda _body, again: again, _named("id"))
_answers(
    "answers_repeated_groups_with_409", "CP-X.97", lambda body, again: again and _is_group(body), _with_status(409)
)
_answers("wraps_empty_answers_in_a_text", "CP-X.97", lambda body, _again: not at(body, _ITEM), lambda reply: replace(
    reply, body=json.dumps(reply.body)
))  # fmt: skip
_answers("says_html_for_empty_carts", "CP-X.98", lambda body, _again: not at(body, _ITEM), _as_html)
_answers("says_html_for_repetitions", "CP-X.98", lambda _body, again: again, _as_html)
_answers("says_html_for_weights", "CP-X.98", lambda body, _again: _is_weighed(body), _as_html)
_answers("says_nothing_for_groups", "CP-X.98", lambda body, _again: _is_group(body), _without_type)
_answers("says_html_for_associates", "CP-X.98", _is_by("ASSOCIATE"), _as_html)
_answers("says_html_for_large_carts", "CP-X.98", lambda body, _again: len(at(body, _ITEM)) > 20, _as_html)  # noqa: PLR2004 - the fault's own limit


# other methods


class _TakesMethods(SmallConnector):
    """The base of faults that treat a cart of another method as a call."""

    methods: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[bool] = True

    async def answer(self, request: Request) -> Reply:
        if request.method not in self.methods or CALLS.get(request.path) != "cart" or not request.raw:
            return await super().answer(request)
        reply = await super().answer(replace(request, method="POST"))
        return reply if self.answers else error(501, "no such method")


def _takes(name: str, *methods: str, answers: bool = True) -> None:
    """Register a fault that books a cart that comes by another method, and may answer that it does not."""
    members = {"methods": methods, "answers": answers}
    CONNECTOR_FAULTS.add(Fault(name, ("CP-X.99",)), type(name, (_TakesMethods,), members))


_takes("books_by_put", "PUT")
_takes("books_by_patch", "PATCH")
_takes("books_by_delete", "DELETE")
_takes("books_by_get", "GET")
_takes("books_by_head_and_says_501", "HEAD", answers=False)
_takes("books_by_options_and_says_501", "OPTIONS", answers=False)
_takes("books_by_trace", "TRACE")


class _BooksByAHeader(SmallConnector):
    """The base of faults that take the method of a cart from a header."""

    method: ClassVar[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == self.method:
            scope = {**scope, "method": dict(scope["headers"]).get(b"x-http-method-override", b"PUT").decode()}
        await super().__call__(scope, receive, send)


for _method in ("PUT", "DELETE", "GET"):
    _name = f"books_by_{_method.lower()}_with_a_header"
    CONNECTOR_FAULTS.add(Fault(_name, ("CP-X.99",)), type(_name, (_BooksByAHeader,), {"method": _method}))
