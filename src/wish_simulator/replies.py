"""Answers on the wire: the envelope, and the broken ones."""

import asyncio
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wish_simulator.documents import to_bytes

TRANSLATIONS = {
    1001: "参数错误",
    1002: "账户已停用",
    1006: "未经授权",
    1007: "访问令牌已过期",
    1008: "访问令牌已撤销",
    1012: "授权标头中没有访问令牌",
    90001: "参数无效",
}
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def success_body(data: bytes | list[bytes]) -> bytes:
    """The envelope around `data`, or around an array of elements, which are then copied only once."""
    if isinstance(data, bytes):
        return b'{"code":0,"message":"","data":%b}' % data
    if not data:
        return success_body(b"[]")
    first, last = b'{"code":0,"message":"","data":[' + data[0], b"]}"
    return b",".join([first, *data[1:-1], data[-1] + last]) if len(data) > 1 else first + last


def error_body(code: int, message: str, language: str, is_text: bool) -> bytes:
    """The code as a number, as in the field, or as text, as the published examples print it."""
    if language.startswith("zh"):
        message = TRANSLATIONS.get(code, message)
    return to_bytes({"code": str(code) if is_text else code, "message": message, "data": {}})


class JsonReply(Response):
    media_type = "application/json"


class DroppedConnection(Response):
    """Closes the connection; no byte of an answer is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope.get("state", {}).get("connection")
        if connection is None:
            raise ConnectionResetError("the simulated Wish dropped the connection")
        connection.abort()
        await asyncio.sleep(0)
        await receive()


class SlowDrip(Response):
    """The same answer in twenty pieces spread over some seconds."""

    pieces = 20

    def __init__(self, whole: Response, seconds: float) -> None:
        super().__init__(bytes(whole.body), whole.status_code, _kept(whole.headers))
        self._pause_s = seconds / self.pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        size = -(-len(body) // self.pieces) or 1
        for start in range(0, len(body), size):
            await asyncio.sleep(self._pause_s)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class CutShort(Response):
    """Announces the whole length, sends half, closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope.get("state", {}).get("connection")
        if connection is None:
            raise ConnectionResetError("the simulated Wish cut the answer short")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        connection.close()
        await receive()


def gateway_error() -> Response:
    return Response(GATEWAY_PAGE, 502, media_type="text/html")


def truncated(whole: Response) -> Response:
    """Well-formed HTTP around half of the JSON."""
    body = bytes(whole.body)
    return Response(body[: len(body) // 2], whole.status_code, _kept(whole.headers))


def cut(whole: Response) -> Response:
    return CutShort(bytes(whole.body), whole.status_code, _kept(whole.headers))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-length"}
