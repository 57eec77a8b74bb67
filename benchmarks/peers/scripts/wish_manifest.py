"""Wish orders as a low-code Airbyte source, for the two scripts that run one."""

from typing import Any

# The requester places the start of a page itself: a paginator and a cursor may not both fill one parameter.
_SINCE = "{{ next_page_token['next_page_token'] if next_page_token else stream_interval['start_time'] }}"


def manifest() -> dict[str, Any]:
    """One stream, `orders`, incremental by `updated_at`; the configuration gives url, token and since."""
    orders = {
        "type": "DeclarativeStream",
        "name": "orders",
        "primary_key": ["id"],
        "retriever": _retriever(),
        "incremental_sync": {
            "type": "DatetimeBasedCursor",
            "cursor_field": "updated_at",
            "datetime_format": "%Y-%m-%dT%H:%M:%S.%_msZ",
            "start_datetime": "{{ config['since'] }}",
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": _schema()},
    }
    return {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["orders"]},
        "streams": [orders],
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "required": ["url", "token", "since"],
                "properties": {name: {"type": "string"} for name in ("url", "token", "since")},
            },
        },
    }


def _retriever() -> dict[str, Any]:
    return {
        "type": "SimpleRetriever",
        "requester": {
            "type": "HttpRequester",
            "url_base": "{{ config['url'] }}",
            "path": "/api/v3/orders",
            "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"},
            "request_parameters": {"sort_by": "updated_at.asc", "limit": "500", "updated_at_min": _SINCE},
        },
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
        },
        "paginator": {
            "type": "DefaultPaginator",
            "pagination_strategy": {
                "type": "CursorPagination",
                "cursor_value": "{{ last_record['updated_at'] }}",
                "stop_condition": "{{ last_page_size < 500 }}",
            },
        },
    }


def _schema() -> dict[str, Any]:
    text, number = {"type": ["string", "null"]}, {"type": ["number", "null"]}
    items, members = {"type": ["array", "null"]}, {"type": ["object", "null"], "additionalProperties": True}
    return {
        "type": "object",
        "additionalProperties": True,
        "properties": {
            **dict.fromkeys(("id", "transaction_id", "state", "released_at", "updated_at"), text),
            "total_frs_quantity": number,
            "product_information": members,
            "order_payment": members,
            "full_address": members,
            "warehouse_information": members,
            "fulfillment_requirements": members,
            "tax_information": members,
            "fulfillment_order_types": items,
            "tracking_information": items,
            "fulfillment_records": items,
            "refunds": items,
            "penalties": items,
            "special_programs": items,
        },
    }
