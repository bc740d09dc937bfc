"""Logs: sentences for people on a terminal, one JSON object a line everywhere else; known secrets never show.

    _LOG = log.get(__name__)
    _LOG.warning("delivery refused", connection="square", reason="the signature does not match")

Bodies of deliveries and of calls are never logged.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO
from urllib.parse import quote, quote_plus, unquote

STRUCK = "***"
_SHORTEST_SECRET = 4
_SHORTEST_ENCODED = 8
_PASSING_KEPT = 4
_FIELD_LONGEST = 2_000
_OUR_LOGGERS = ("hub", "connectors")
_SECRET_NAME = re.compile(r"(?i)secret|password|token|authorization|cookie|api_?key|signature|signing_?key")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_BREAK = re.compile(r"\n|\r|\\n")
_PERCENT = re.compile("%..")
_PLAIN = re.compile(r"[\w.:/@+-]+")


class Redaction:
    """Strikes known secrets out of a text, whole and line by line, in every form that they usually take."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._passing: dict[str, deque[str]] = {}
        self._forms: tuple[str, ...] | None = None
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        """Never show this again. Texts of fewer than 4 characters are no secrets: they would strike out everything."""
        with self._lock:
            if secret not in self._known:
                self._known.add(secret)
                self._forms = None

    def add_passing(self, name: str, secret: str) -> None:
        """Do not show this until a few more have come under the same name: for tokens, of which there is no end."""
        with self._lock:
            passing = self._passing.setdefault(name, deque(maxlen=_PASSING_KEPT))
            if secret not in passing:
                passing.append(secret)
                self._forms = None

    def __call__(self, text: str) -> str:
        forms = self._forms
        return _without(text, self._learned() if forms is None else forms)

    def _learned(self) -> tuple[str, ...]:
        """The forms of all that is known; made when they are needed, for many secrets are told at a time."""
        with self._lock:
            self._forms = _longest_first(self._known.union(*self._passing.values()))
            return self._forms


def _longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({form for secret in secrets for form in _forms_of(secret)}, key=len, reverse=True))


def _without(text: str, forms: Iterable[str]) -> str:
    # One pattern of them all would take longer to look, and seconds to make where there are many connections.
    for form in forms:
        if form in text:
            text = text.replace(form, STRUCK)
    return text


@lru_cache(maxsize=1_000)
def _forms_of(secret: str) -> frozenset[str]:
    """The secret and its lines as they are, in URLs and out of them, in JSON, in hex and within base64."""
    lines = {secret, *(line.strip() for line in _LINE_BREAK.split(secret))}
    parts = lines | {unquote(line) for line in lines}
    found: set[str] = set()
    for part in parts:
        if len(part) < _SHORTEST_SECRET:
            continue
        percent = {quote(part, safe=""), quote(part), quote_plus(part)}
        small = {_PERCENT.sub(lambda code: code[0].lower(), text) for text in percent}
        found |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], *percent, *small}
        if len(part) >= _SHORTEST_ENCODED:
            raw = part.encode("utf-8", "surrogatepass")
            found |= {raw.hex(), raw.hex().upper(), *_within_base64(raw)}
    return frozenset(found)


def _within_base64(raw: bytes) -> Iterator[str]:
    """What base64 makes of it wherever it stands in the text, but for the ends, which also depend on its neighbours."""
    for before in range(3):
        encoded = b64encode(b"\0" * before + raw)[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6].decode()
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")


def strike(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, whether this process knows them or not, and without those that it knows."""
    return redact(_without(text, _longest_first(secrets)))


def in_words(error: BaseException) -> str:
    """An error that nobody foresaw, as it may be kept and shown: its kind and what it says, without secrets."""
    return redact(f"{type(error).__name__}: {error}")


redact = Redaction()
"""The secrets that this process knows; whoever reads one adds it."""


class Log:
    """Speaks for one module: a message, its arguments, and fields by name: `info("kept %s", id, connection="square")`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, message: str, /, *args: object, **fields: object) -> None:
        self._say(logging.DEBUG, message, args, fields)

    def info(self, message: str, /, *args: object, **fields: object) -> None:
        self._say(logging.INFO, message, args, fields)

    def warning(self, message: str, /, *args: object, **fields: object) -> None:
        self._say(logging.WARNING, message, args, fields)

    def error(self, message: str, /, *args: object, **fields: object) -> None:
        self._say(logging.ERROR, message, args, fields)

    def exception(self, message: str, /, *args: object, **fields: object) -> None:
        """An error with the traceback of the exception that is being handled."""
        self._say(logging.ERROR, message, args, fields, exc_info=True)

    def _say(
        self, level: int, message: str, args: tuple[object, ...], fields: Mapping[str, object], exc_info: bool = False
    ) -> None:
        self._logger.log(level, message, *args, exc_info=exc_info, extra={"fields": fields})


def get(name: str) -> Log:
    """The logger of a module."""
    return Log(logging.getLogger(name))


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that `setup` can be called again without taking anybody else's handler away."""


def setup(stream: TextIO, level: int | str = logging.INFO) -> None:
    """Send all logs of this process to `stream`; `level` is for the hub's own, other libraries speak from WARNING on."""
    handler = _Handler(stream)
    handler.setFormatter(_ForPeople() if stream.isatty() else _ForMachines())
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in _OUR_LOGGERS:
        logging.getLogger(name).setLevel(level)


class _ForPeople(logging.Formatter):
    """`14:03:22 warning  hub.engine.door  delivery refused  connection=square`"""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        message = _CONTROL.sub(_visible, redact(record.getMessage()))
        fields = [f"{name}={_as_word(value)}" for name, value in _fields_of(record).items()]
        line = "  ".join([f"{clock} {record.levelname.lower():<7}", record.name, message, " ".join(fields)]).rstrip()
        trouble = _trouble_of(record, self)
        return f"{line}\n{trouble}" if trouble else line


class _ForMachines(logging.Formatter):
    """One JSON object a line: at, level, logger, message, the fields, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        trouble = _trouble_of(record, self)
        fields = {name: value for name, value in _fields_of(record).items() if name not in said}
        return json.dumps({**said, **fields, **({"traceback": trouble} if trouble else {})}, ensure_ascii=False)


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return {name: STRUCK if _SECRET_NAME.search(name) else _shown(value) for name, value in fields.items()}


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    return redact(str(value))[:_FIELD_LONGEST]


def _as_word(value: Any) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(_CONTROL.sub(_visible, text), ensure_ascii=False)


def _visible(found: re.Match[str]) -> str:
    """A control character as its code: nobody writes a second log line from outside."""
    return f"<{ord(found[0]):02x}>"


def _trouble_of(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    if not record.exc_info:
        return ""
    return redact(formatter.formatException(record.exc_info))
