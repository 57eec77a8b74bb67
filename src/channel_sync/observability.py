"""Structured log lines: one event is one line of JSON, and no secret is in it.

Ids of the request or run come from structlog's context variables: whoever starts one binds them with
`structlog.contextvars.bound_contextvars(request_id=...)`.
"""

import logging
import re
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from channel_sync.domain.secrets import MASK

_SECRET_NAMES = re.compile(
    r"(?i)(secret|password|passwd|authorization|cookie|credential|api_?key|encryption_key|verifier"
    r"|(access|refresh)_?token|^token$|^ticket$|^claim$|bearer)"
)
# Text that may carry a secret wherever it turns up: in an event, an exception, another library's message.
_PATTERNS = (
    # An address: the password in it, and all of its query, percent-encoded or not.
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s@\"'<>]*@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s?\"'<>]*\?)[^\s\"'<>]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[^\s\"',;]+"), rf"\1 {MASK}"),
    (re.compile(r"csk_[A-Za-z0-9_-]+"), f"csk_{MASK}"),
    (
        re.compile(
            r"(?i)((?:\b|%3F|%26)(?:client_secret|(?:access|refresh)_token|code|state|ticket|claim|code_verifier"
            r"|password))"
            r"(=|%3D|[\"']\s*:\s*[\"'])[^\s&\"',;)}\]]+"
        ),
        rf"\1\2{MASK}",
    ),
)

# Each of the patterns needs one of these. Hardly a value has any, and a request logs ten.
_SIGNS = re.compile(r"(?i)://|bearer|basic|csk_|=|%3D|[\"']\s*:")


def masked(text: str) -> str:
    """The text without the secrets that can be told by their shape or their name."""
    if _SIGNS.search(text) is None:
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _redacted(name, value) for name, value in event.items()}


def _redacted(name: str, value: object) -> object:
    if value is not None and not isinstance(value, bool) and _SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", member) for member in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked(str(value))


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """From now on every event of this process, other libraries' too, is a line of JSON on the stream.

    `level` is debug, info, warning or error; the stream is standard error unless given.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        structlog.processors.StackInfoRenderer(),
    ]
    # Escaped to ASCII, so that no line end or terminal code in a value can forge a line.
    render = structlog.processors.JSONRenderer(ensure_ascii=True)
    line = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact, render],
    )
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(line)
    chosen = logging.getLevelNamesMapping()[level.upper()]
    # What other libraries say for debugging holds statements with their values.
    logging.basicConfig(level=max(chosen, logging.INFO), handlers=[output], force=True)
    logging.getLogger("channel_sync").setLevel(chosen)
    _quieten()
    sys.excepthook = _log_crash
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("channel_sync").critical("crashed", exc_info=(kind, error, trace))


def _quieten() -> None:
    # httpx logs whole addresses at INFO; those of token calls may carry the client secret.
    for name in ("httpx", "httpcore", "aiohttp", "alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A level of its own would keep a server's errors from us.
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    # Handlers of their own would write beside ours.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "sqlalchemy", "alembic"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(True)
