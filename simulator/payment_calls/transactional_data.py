"""The answer of Get Transactional Data. Its members are published; their values follow from the trip's id."""

from __future__ import annotations

from hashlib import blake2b

from jwo_toolkit.json_types import JsonObject
from simulator.payment_calls.charge_record import reconciliation_id

_BRANDS = (("VISA", "A0000000031010"), ("MASTERCARD", "A0000000041010"), ("AMEX", "A00000002501"))
_ENTRY_MODES = ("EMV_9F39_05", "EMV_9F39_07")
"""An inserted and a tapped card."""
_YEARS_AHEAD = 6


def transactional_data(trip_id: str, store_id: str, currency: str, year: int) -> JsonObject:
    """Return the data of the card of a trip; `year` is the platform's present year."""
    digest = blake2b(trip_id.encode(), digest_size=8).digest()
    brand, application = _BRANDS[digest[0] % len(_BRANDS)]
    reference = reconciliation_id(trip_id)
    return {
        "brand": brand,
        "tail": f"{int.from_bytes(digest[1:3]) % 10_000:04}",
        "posEntryMode": _ENTRY_MODES[digest[3] % len(_ENTRY_MODES)],
        "currency": currency,
        "authorizationResponseCode": "00",
        "cryptogramInformationData": "80",
        "panSequenceNumber": f"{digest[4] % 10:02}",
        "applicationId": application,
        "expirationDate": {
            "expirationYear": str(year + 1 + digest[5] % _YEARS_AHEAD),
            "expirationMonth": f"{digest[6] % 12 + 1:02}",
        },
        "cardholderVerificationMethodResult": "1F0302",
        "terminalId": f"JWO{int.from_bytes(blake2b(store_id.encode(), digest_size=2).digest()):05}",
        "reconciliationId": reference,
        "cardStatementTransactionId": f"JWO*{reference[:8]}",
    }
