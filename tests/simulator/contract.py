"""Wish's contract as a judge: an application wrapped in `CheckedApp` has every answer compared with it.

For tests that serve the simulator: `checked = CheckedApp(create_app(market))`; `checked.problems` must stay empty.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTRACT_FILE = Path(__file__).parent / "wish-v3.openapi.yaml"
CONTRACT_URI = "urn:wish-v3"


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str

    @property
    def pointer(self) -> str:
        return f"#/paths/{_escaped(self.path)}/{self.method.lower()}"

    def matches(self, method: str, path: str) -> bool:
        pattern = re.sub(r"\{\w+\}", "[^/]+", self.path)
        return method == self.method and re.fullmatch(pattern, path) is not None


@dataclass
class Exchange:
    """One answer of an operation: what is judged."""

    operation: Operation
    query: dict[str, list[str]]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Contract:
    def __init__(self) -> None:
        self._document = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(CONTRACT_URI, resource)
        self._places: dict[str, tuple[dict[str, Any], str]] = {}
        self._validators: dict[str, Draft202012Validator] = {}
        # Literal paths first: `/orders/bulk_get` is no order id.
        self.operations = sorted(self._operations(), key=lambda operation: operation.path.count("{"))

    def _operations(self) -> list[Operation]:
        return [
            Operation(described["operationId"], method.upper(), path)
            for path, methods in self._document["paths"].items()
            for method, described in methods.items()
        ]

    def operation_for(self, method: str, path: str) -> Operation | None:
        return next((one for one in self.operations if one.matches(method, path)), None)

    def problems(self, exchange: Exchange) -> list[str]:
        """What is wrong with the answer, in words; empty when it keeps the contract."""
        responses = self._followed(f"{exchange.operation.pointer}/responses")[0]
        if str(exchange.status) not in responses:
            return [f"{exchange.operation.id}: status {exchange.status} is not in the contract"]
        described, pointer = self._followed(f"{exchange.operation.pointer}/responses/{exchange.status}")
        found = self._header_problems(described, exchange) + self._body_problems(described, pointer, exchange)
        return [f"{exchange.operation.id} {exchange.status}: {problem}" for problem in found]

    def delivery_problems(self, webhook: str, headers: dict[str, str], body: bytes) -> list[str]:
        """The same for a message the marketplace sends; `webhook` is orderEvents or otherEvents."""
        described, pointer = self._followed(f"#/webhooks/{webhook}/post")
        parameters = [self._followed(one["$ref"])[0] for one in described["parameters"]]
        missing = [one["name"] for one in parameters if one["name"].lower() not in headers]
        errors = self._schema_errors(f"{pointer}/requestBody/content/application~1json/schema", json.loads(body))
        return [f"header {name} is missing" for name in missing] + errors

    def _header_problems(self, described: dict[str, Any], exchange: Exchange) -> list[str]:
        problems = []
        for name, header in described.get("headers", {}).items():
            value = exchange.headers.get(name.lower())
            if value is None:
                problems.append(f"header {name} is missing")
                continue
            schema = self._followed(header["$ref"])[0]["schema"] if "$ref" in header else header["schema"]
            if schema.get("type") == "integer" and not re.fullmatch(r"\d+", value):
                problems.append(f"header {name} is not a number")
        return problems

    def _body_problems(self, described: dict[str, Any], pointer: str, exchange: Exchange) -> list[str]:
        content = described.get("content", {})
        if not content:
            return ["there is a body"] if exchange.body else []
        media_type = exchange.headers.get("content-type", "").partition(";")[0]
        if media_type not in content:
            return [f"media type {media_type} is not in the contract"]
        if media_type != "application/json":
            return []
        body = json.loads(exchange.body)
        is_partial = "fields" in exchange.query
        return self._schema_errors(f"{pointer}/content/application~1json/schema", body, is_partial)

    def _schema_errors(self, pointer: str, value: Any, is_partial: bool = False) -> list[str]:
        errors = self._validator(pointer).iter_errors(_without_nulls(value))
        invented = self._invented([self._followed(pointer)[0]], value, "")
        return invented + [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in errors
            if not (is_partial and error.validator == "required" and error.absolute_path)
        ]

    def _invented(self, schemas: list[dict[str, Any]], value: Any, path: str) -> list[str]:
        """Members no schema mentions. A client must bear them, but a simulator has no business making them up."""
        parts = [part for schema in schemas for part in self._flat(schema)]
        if isinstance(value, list):
            items = [part["items"] for part in parts if "items" in part]
            return [problem for one in value for problem in self._invented(items, one, f"{path}[]")]
        known = [part["properties"] for part in parts if "properties" in part]
        if not isinstance(value, dict) or not known:
            return []
        problems = []
        for name, member in value.items():
            described = [properties[name] for properties in known if properties.get(name, False)]
            if not described:
                problems.append(f"member {path}/{name} is not in the contract")
            inner = [one for one in described if isinstance(one, dict)]
            problems += self._invented(inner, member, f"{path}/{name}")
        return problems

    def _flat(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """The schema and all it is put together from."""
        if "$ref" in schema:
            return self._flat(self._followed(schema["$ref"])[0])
        parts = [*schema.get("allOf", ()), *schema.get("oneOf", ())]
        return [schema, *(flat for part in parts for flat in self._flat(part))]

    def _validator(self, pointer: str) -> Draft202012Validator:
        if pointer not in self._validators:
            schema = {"$ref": f"{CONTRACT_URI}{pointer}"}
            self._validators[pointer] = Draft202012Validator(schema, registry=self._registry)
        return self._validators[pointer]

    def _followed(self, pointer: str) -> tuple[dict[str, Any], str]:
        """What the pointer leads to, through references, and where that is."""
        if pointer not in self._places:
            value = self._registry.resolver(CONTRACT_URI).lookup(f"{CONTRACT_URI}{pointer}").contents
            self._places[pointer] = self._followed(value["$ref"]) if "$ref" in value else (value, pointer)
        return self._places[pointer]


def _escaped(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _without_nulls(value: Any) -> Any:
    """The reader rule: a member that is not required may be absent or null, even if its type says no."""
    match value:
        case dict():
            return {name: _without_nulls(one) for name, one in value.items() if one is not None}
        case list():
            return [_without_nulls(one) for one in value]
        case _:
            return value


@cache
def wish_contract() -> Contract:
    return Contract()


class CheckedApp:
    """Passes everything through and keeps what breaks the contract, and which operations succeeded.

    Answers the simulator breaks on purpose, because a test asked it to, are let through unjudged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._contract = wish_contract()
        self.problems: list[str] = []
        self.succeeded: set[str] = set()
        self.judged = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = None
        if scope["type"] == "http":
            operation = self._contract.operation_for(scope["method"], scope["path"])
        if operation is None:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(operation, parse_qs(scope["query_string"].decode(), keep_blank_values=True))

        async def watched(message: Message) -> None:
            _note(exchange, message)
            await send(message)

        await self._app(scope, receive, watched)
        if exchange.status and not scope.get("unfaithful"):
            self._judge(exchange)

    def _judge(self, exchange: Exchange) -> None:
        self.judged += 1
        self.problems += self._contract.problems(exchange)
        if exchange.status < 400:
            self.succeeded.add(exchange.operation.id)

    @property
    def never_called(self) -> list[str]:
        """Operations of the contract that have not answered with success yet."""
        return sorted(one.id for one in self._contract.operations if one.id not in self.succeeded)


def _note(exchange: Exchange, message: Message) -> None:
    if message["type"] == "http.response.start":
        exchange.status = message["status"]
        exchange.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
    elif message["type"] == "http.response.body":
        exchange.body += message.get("body", b"")
