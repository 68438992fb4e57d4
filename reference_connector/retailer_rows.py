"""The rows of a retailer file, with their types and limits.

Unknown members are ignored, since other programs may use the same file.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from jwo_contract.errors import BadValue
from jwo_contract.scan_key import from_identity_key
from jwo_contract.values import parse_instant
from reference_connector.files.damage import (
    Find,
    barcode_damage,
    code_damage,
    name_damage,
    number_damage,
    price_damage,
)
from reference_connector.payments.payer import PaymentModel
from reference_connector.pricing.goods import Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.units import NAMES, PIECE, WEIGHTS, Unit, unit_named
from reference_connector.retailer import CardShopper, Member, Policy, ScanType, VisitorType
from reference_connector.store import Badge, BadgeState

_WEIGHT = "weight"
_HUNDRED = 100
_LARGEST_KEY = 750
"""The bytes that 1000 characters of Base64 carry."""
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def _wrong_value(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("damage", "{problem}", {"problem": problem, "fix": fix})


def _is_key(text: str) -> str:
    try:
        from_identity_key(text)
    except BadValue as error:
        raise ValueError(str(error)) from error
    return text


def _is_month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise ValueError("write year and month, such as 2031-12")
    return text


def _is_time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key if text != "UTC" else text
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("no time zone of this name; write one such as Europe/Berlin, or UTC") from error


def _is_quoted(value: object) -> object:
    if isinstance(value, (int, float, Decimal)):
        raise _wrong_value("a number, which loses the zeros at its beginning", "Write it as a text, in quotes")
    return value


def _fits_identity_key(text: str) -> str:
    size = len(text.encode())
    if size > _LARGEST_KEY:
        raise _wrong_value(
            f"has {size} bytes, and identityKey carries at most {_LARGEST_KEY}", "Give the badge a shorter key"
        )
    return text


def _read_instant(value: object) -> datetime | None:
    """Read an instant of a TOML file or of a JSON text, with an offset from UTC."""
    fix = "Write it with its offset from UTC, such as 2031-12-31T23:59:59+01:00"
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.isoformat()
    elif isinstance(value, date):
        raise _wrong_value(f"{value} is a day, and not an instant", fix)
    elif not isinstance(value, str):
        raise _wrong_value("not an instant", fix)
    try:
        return parse_instant(value)
    except BadValue as error:
        raise _wrong_value(str(error), fix) from error


def _is_badge_state(value: object) -> object:
    if value == "expired":
        raise _wrong_value("a badge expires at an instant", "Write the state issued, and the instant as expires")
    return value


def _is_sold_by(text: str) -> str:
    if text.strip().casefold() == _WEIGHT:
        return _WEIGHT
    if unit_named(text) is None:
        raise ValueError(f"{text!r} is not a unit; write {NAMES}, or {_WEIGHT} for the retailer's weight_unit")
    return text


def _is_rate(rate: Decimal) -> Decimal:
    if not 0 <= rate < 1:
        raise PydanticCustomError("damage", "must be at least 0 and less than 1", {"fix": "Write 0.07 for 7 %"})
    return rate


def _undamaged(find: Find) -> BeforeValidator:
    """Make a validator that removes spaces around a text, and refuses a damaged one with its likely cause."""

    def check(value: object) -> object:
        if isinstance(value, bool):
            raise PydanticCustomError("damage", "must be a number or a text, and not true or false")
        if not isinstance(value, str):
            return value
        text = value.strip(" \t")
        if text and (damage := find(text)):
            raise PydanticCustomError("damage", "{problem}", {"problem": damage.problem, "fix": damage.fix})
        return text

    return BeforeValidator(check)


Code = Annotated[str, _undamaged(code_damage), Field(min_length=1, max_length=255)]
"""A SKU, or the id of a store, a shopper or a member."""
BadgeKey = Annotated[
    str, BeforeValidator(_is_quoted), _undamaged(code_damage), Field(min_length=1), AfterValidator(_fits_identity_key)
]
"""The text of a badge's key, which `identityKey` carries in Base64."""
Expiry = Annotated[datetime | None, BeforeValidator(_read_instant)]
"""An instant in UTC, written with any offset; None is no expiry."""
Name = Annotated[str, _undamaged(name_damage), Field(min_length=1, max_length=255)]
Barcode = Annotated[str, _undamaged(barcode_damage)]
Money = Annotated[
    Decimal,
    _undamaged(price_damage),
    Field(ge=0, decimal_places=2, max_digits=12, allow_inf_nan=False),
    AfterValidator(abs),
]
"""An amount that is not negative; -0.00 is 0.00."""
Number = Annotated[Decimal, _undamaged(number_damage), Field(allow_inf_nan=False)]
Rate = Annotated[Number, AfterValidator(_is_rate)]
TaxCode = Annotated[str, _undamaged(name_damage)]
IdentityKey = Annotated[Code, AfterValidator(_is_key)]
TimeZone = Annotated[str, AfterValidator(_is_time_zone)]
Month = Annotated[str, AfterValidator(_is_month)]
SoldBy = Annotated[str, AfterValidator(_is_sold_by)]
"""The unit of the price."""


class Row(BaseModel):
    """Base of the rows."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PolicyRow(Row):
    """[retailer]."""

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    max_open_balance: Money = Decimal(0)
    max_debt: Money = Decimal(0)
    """How much a shopper may owe of declined charges and still enter."""
    max_fraud_score: StrictInt = Field(default=100, ge=0)
    loyalty_provider: Name = "Retailer"
    weight_unit: Literal["lb", "oz", "kg", "g"] = "lb"
    """The unit of the price of goods that are `sold_by` weight."""

    def policy(self) -> Policy:
        """Make the retailer's limits."""
        limits = (self.max_open_balance, self.max_debt, self.max_fraud_score)
        return Policy(self.currency, *limits, self.loyalty_provider)


class StoreRow(Row):
    """[[store]]."""

    id: Code
    tax_region: str = "default"
    payment: PaymentModel = "retailer"
    time_zone: TimeZone = "UTC"


class RiskRow(Row):
    """The risk data of any shopper that pays with a card."""

    id: Code
    flagged: bool = False
    card_expires: Month = "2099-12"
    fraud_score: StrictInt = Field(default=0, ge=0)
    open_balance: Money = Decimal(0)

    @property
    def card_month(self) -> tuple[int, int]:
        """The last month in which the card is valid: year and month."""
        year, month = self.card_expires.split("-")
        return int(year), int(month)


class ShopperRow(RiskRow):
    """[[shopper]]: an account in the app."""

    type: VisitorType = "SHOPPER"
    payment_method: str = "tok_approved"
    other_payment_methods: tuple[str, ...] = ()
    """Means that pay what the first one does not, in this order."""
    pin: SecretStr = SecretStr("")


class CardShopperRow(RiskRow):
    """[[card_shopper]]: a shopper that enters with a card; `id` is the platform's id of the card."""

    card_valid: bool = True
    always: Literal["accept", "deny", ""] = ""
    adjust_to: Money | None = None
    account: str = ""
    """The id of the [[shopper]] who has this card. A debt of either keeps both out."""

    def card_shopper(self) -> CardShopper:
        """Make the record for Shopper Authorization."""
        return CardShopper(
            self.id,
            self.card_valid,
            self.card_month,
            self.flagged,
            self.fraud_score,
            self.open_balance,
            self.always,
            self.adjust_to,
            self.account,
        )


class MemberRow(Row):
    """[[member]]: a loyalty card."""

    id: Code
    code: Code
    type: ScanType = "LOYALTY"
    provider: str = ""
    promotion_ids: tuple[Code, ...] = ()

    def member(self, provider: str) -> Member:
        """Make the member; `provider` is the default."""
        return Member(self.id, self.code, self.type, self.provider or provider, self.promotion_ids)


class BadgeRow(Row):
    """[[badge]]: `id` is the text of its key, `owner` the id of a [[shopper]] of the type SHOPPER or ASSOCIATE."""

    id: BadgeKey
    owner: Code
    state: Annotated[BadgeState, BeforeValidator(_is_badge_state)] = "issued"
    expires: Expiry = None
    credential: Name | None = None

    def badge(self) -> Badge:
        """Make the badge."""
        return Badge(self.id, self.owner, self.state, self.expires, self.credential or "")


class FixtureKeyRow(Row):
    """[[fixture_key]]."""

    identity_key: IdentityKey
    visitor_id: Code
    type: VisitorType = "SHOPPER"
    stores: tuple[Code, ...] = Field(min_length=1)


class ProductRow(Row):
    """[[product]]."""

    sku: Code
    name: Name
    price: Money
    barcode: Barcode = ""
    tax_code: TaxCode = ""
    sold_by: SoldBy = "unit"

    def product(self, weight_unit: str) -> Product:
        """Make the product; `weight_unit` is the retailer's."""
        return Product(self.sku, self.name, self.price, self.tax_code, _unit_of(self.sold_by, weight_unit))


class PromotionRow(Row):
    """[[promotion]]. A member that is not known may be a limit, so it is an error, but for a name or a description."""

    model_config = ConfigDict(extra="forbid")

    sku: Code
    kind: Literal["percentage", "fixed", "bogo"]
    value: Number = Field(default=Decimal(1), gt=0, le=1_000_000)
    most_pieces: Number | None = Field(default=None, gt=0, le=1_000_000)
    most_off: Money | None = None
    stacks: bool = True

    @model_validator(mode="before")
    @classmethod
    def _without_names(cls, row: Any) -> Any:  # noqa: ANN401 - pydantic checks its type later
        is_table = isinstance(row, dict)
        return {name: row[name] for name in row if name not in {"id", "name", "description"}} if is_table else row

    @model_validator(mode="after")
    def _has_its_value(self) -> Self:
        if self.kind != "bogo" and "value" not in self.model_fields_set:
            raise _wrong_value(f"value is missing for the kind {self.kind}", "Add value: 10 is 10 % or 10.00 off")
        if self.kind == "percentage" and self.value > _HUNDRED:
            raise _wrong_value(f"{self.value} % is more than the price", "Write a value up to 100")
        if self.kind == "bogo" and self.value != self.value.to_integral_value():
            raise _wrong_value(f"{self.value} paid pieces for a free one is not a whole number", "Write a whole value")
        return self

    def promotion(self) -> Promotion:
        """Make the promotion."""
        return Promotion(self.kind, self.value, self.most_pieces, self.most_off, self.stacks)


class TaxRow(Row):
    """[tax], or one of its regions. A member that is not known may be a rate, so it is an error."""

    model_config = ConfigDict(extra="forbid")

    default: Rate = Decimal(0)
    codes: dict[str, Rate] = Field(default_factory=dict)


class TaxSection(TaxRow):
    """[tax], with [tax.regions.NAME] for stores in other regions."""

    regions: dict[str, TaxRow] = Field(default_factory=dict)


class PriceListRow(Row):
    """A line of a price list: the columns of the catalog file, and our own column `sold_by`."""

    item_sku: Code
    external_product_id: Barcode = ""
    item_name: Name
    store_id: Code
    standard_price: Money
    product_tax_code: TaxCode = ""
    sold_by: SoldBy = "unit"

    def product(self, weight_unit: str) -> Product:
        """Make the product; `weight_unit` is the retailer's."""
        unit = _unit_of(self.sold_by, weight_unit)
        return Product(self.item_sku, self.item_name, self.standard_price, self.product_tax_code, unit)


def _unit_of(sold_by: str, weight_unit: str) -> Unit:
    return WEIGHTS[weight_unit] if sold_by == _WEIGHT else unit_named(sold_by) or PIECE
