"""Request bodies of the merchant API with their limits, as the contract states them."""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from wish_simulator.documents import Document
from wish_simulator.refusals import invalid

Body = TypeVar("Body")
Text = Annotated[str, msgspec.Meta(min_length=1)]
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
ObjectId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{24}$")]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Uri = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9+.-]*:")]
Link = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Price(msgspec.Struct):
    amount: NotNegative
    currency_code: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]


class PhoneNumber(msgspec.Struct):
    number: str
    country_code: str | UnsetType = UNSET


class TokenRequest(msgspec.Struct):
    client_id: str
    client_secret: str
    code: str
    grant_type: str
    redirect_uri: str


class ShippingSetting(msgspec.Struct):
    country_code: Country
    enabled: bool


class WarehouseAddress(msgspec.Struct):
    ship_to_name: str
    street_address1: str
    city: str
    country_code: Country
    zipcode: str
    street_address2: str | UnsetType = UNSET
    state: str | UnsetType = UNSET


class NewWarehouse(msgspec.Struct):
    name: ShortText
    address: WarehouseAddress
    destination_countries: Annotated[list[Country], msgspec.Meta(min_length=1)]


class ChangedWarehouse(msgspec.Struct):
    address: WarehouseAddress | UnsetType = UNSET


class Tracking(msgspec.Struct):
    shipping_provider: str
    tracking_number: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]+$")]
    origin_country: Country
    ship_note: Text | UnsetType = UNSET


class Refund(msgspec.Struct):
    refund_reason: str
    refund_reason_note: Text | UnsetType = UNSET


class DeliveryProof(msgspec.Struct):
    tracking_url: Link | UnsetType = UNSET
    delivery_receipt_file_url: Link | UnsetType = UNSET
    delivered_at: str | UnsetType = UNSET


class ShippingAddress(msgspec.Struct):
    street_address1: Text
    city: Text
    state: Text
    zipcode: Text
    country_code: Country
    street_address2: str | UnsetType = UNSET
    street_address3: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    phone_number: PhoneNumber | UnsetType = UNSET


class Attribute(msgspec.Struct):
    name: str
    value: list[str] | UnsetType | None = UNSET


class Option(msgspec.Struct):
    name: str
    value: Text


class Inventory(msgspec.Struct):
    warehouse_id: ObjectId
    inventory: Annotated[int, msgspec.Meta(ge=0, le=500_000)]


class Image(msgspec.Struct):
    url: Uri | UnsetType = UNSET
    is_clean_image: bool | UnsetType = UNSET
    variation_skus: list[ShortText] | UnsetType = UNSET


class DefaultShipping(msgspec.Struct):
    warehouse_id: ObjectId
    default_shipping_price: Price


class RegionShipping(msgspec.Struct):
    destination: Annotated[str, msgspec.Meta(min_length=2, max_length=3)]
    is_enabled: bool = True
    price: Price | UnsetType | None = UNSET
    additional_price: Price | UnsetType | None = UNSET
    max_delivery_days: int | UnsetType | None = UNSET


class CountryShipping(msgspec.Struct):
    destination: Country
    overrides: list[RegionShipping]
    is_enabled: bool = True
    price: Price | UnsetType = UNSET
    additional_price: Price | UnsetType = UNSET
    max_delivery_days: int | UnsetType | None = UNSET


class WarehouseShipping(msgspec.Struct):
    warehouse_id: ObjectId
    shipping_details: list[CountryShipping]


class FirstMileShipping(msgspec.Struct):
    warehouse_id: ObjectId
    enabled: bool | UnsetType = UNSET
    effective_first_mile_shipping: Document | UnsetType = UNSET


Flag = Literal["HAS_POWDER", "HAS_LIQUID", "HAS_BATTERY", "HAS_METAL"]


class Logistics(msgspec.Struct):
    origin_country: Country | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    length: float | UnsetType = UNSET
    width: float | UnsetType = UNSET
    height: float | UnsetType = UNSET
    pieces: int | UnsetType = UNSET
    restricted_flags: list[Flag] | UnsetType | None = UNSET
    customs_hs_code: str | UnsetType = UNSET
    customs_declared_name: str | UnsetType = UNSET
    customs_declared_value: Price | UnsetType = UNSET
    declared_name: str | UnsetType = UNSET
    declared_local_name: str | UnsetType = UNSET


class EditableVariation(msgspec.Struct, kw_only=True):
    sku: ShortText | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    cost: Price | UnsetType = UNSET
    merchant_set_cost: NotNegative | UnsetType | None = UNSET
    gtin: Annotated[str, msgspec.Meta(pattern="^[0-9]{8,14}$")] | UnsetType | None = UNSET
    image: Uri | UnsetType = UNSET
    quantity_value: NotNegative | UnsetType | None = UNSET
    options: list[Option] | UnsetType = UNSET
    attributes: list[Attribute] | UnsetType | None = UNSET
    inventories: list[Inventory] | UnsetType = UNSET
    logistics_details: Logistics | UnsetType = UNSET


class NewVariation(EditableVariation, kw_only=True):
    sku: ShortText
    price: Price
    inventories: list[Inventory]


class ChangedVariation(EditableVariation, kw_only=True):
    id: ObjectId
    status: Literal["ENABLED", "DISABLED"] | UnsetType = UNSET


class EditableProduct(msgspec.Struct, kw_only=True):
    name: Text | UnsetType = UNSET
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)] | UnsetType = UNSET
    parent_sku: ShortText | UnsetType = UNSET
    category_id: int | UnsetType = UNSET
    subcategory_id: int | UnsetType | None = UNSET
    brand_id: ObjectId | UnsetType = UNSET
    condition: Literal["NEW", "USED", "REFURBISHED"] | UnsetType = UNSET
    tags: Annotated[list[ShortText], msgspec.Meta(max_length=10)] | UnsetType | None = UNSET
    max_quantity: Annotated[int, msgspec.Meta(ge=1)] | UnsetType | None = UNSET
    msrp: Price | UnsetType = UNSET
    unit: str | UnsetType | None = UNSET
    reference_value: Annotated[int, msgspec.Meta(ge=0)] | UnsetType | None = UNSET
    california_prop65_warning_type: str | UnsetType | None = UNSET
    california_prop65_chemical_names: list[str] | UnsetType | None = UNSET
    default_shipping_prices: Annotated[list[DefaultShipping], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    warehouse_to_shippings: list[WarehouseShipping] | UnsetType = UNSET
    attributes: list[Attribute] | UnsetType | None = UNSET
    video: Image | UnsetType = UNSET
    consignment: Document | UnsetType | None = UNSET
    main_image: Image | UnsetType = UNSET
    extra_images: Annotated[list[Image], msgspec.Meta(max_length=100)] | UnsetType | None = UNSET


class NewProduct(EditableProduct, kw_only=True):
    name: Text
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    parent_sku: ShortText
    default_shipping_prices: Annotated[list[DefaultShipping], msgspec.Meta(min_length=1)]
    main_image: Image
    extra_images: Annotated[list[Image], msgspec.Meta(max_length=100)] | UnsetType = UNSET
    variations: Annotated[list[NewVariation], msgspec.Meta(min_length=1, max_length=400)]


class ChangedProduct(EditableProduct, kw_only=True):
    status: Literal["ENABLED", "DISABLED"] | UnsetType = UNSET
    first_mile_shippings: list[FirstMileShipping] | UnsetType = UNSET
    variations: Annotated[list[ChangedVariation], msgspec.Meta(max_length=400)] | UnsetType = UNSET


def read(content: bytes, body_type: type[Body]) -> Body:
    """The body as that type, or 90001 with what is wrong with it."""
    try:
        return msgspec.json.decode(content, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(f"invalid body: {error}") from error


def as_document(body: msgspec.Struct) -> Document:
    """What the caller sent, without the members he left out."""
    document: Document = msgspec.to_builtins(body)
    return document


def refuse_markup(text: str | UnsetType) -> None:
    if isinstance(text, str) and "<" in text and ">" in text:
        raise invalid("description may not contain HTML")
