"""Properties as JSON text. Nothing here raises: what is no JSON has a documented form, or costs its event.

The standard library's encoder, which is in C, writes what it can. What it cannot (NaN, a Decimal, a cycle, an object
that fails) is written once more by hand.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Set
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring
from math import isfinite
from numbers import Integral, Real
from typing import Optional

from ._text import string_form
from ._time import rfc3339

#: The deepest nesting that the core takes. An event beyond it is counted as `too_deep`.
DEPTH = 32

#: An object that is nested too deep, whatever was in it.
TOO_DEEP = '{"":' + "[" * DEPTH + "]" * DEPTH + "}"

#: What could not be written at all is no JSON, and its event is counted as `invalid_event`.
NO_JSON = "?"

#: An integer of which Python does not say the digits (more than 4,300) is counted as `number_out_of_range`.
OUT_OF_RANGE = "1e999"

_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Raw(str):
    """JSON text that is taken over as it is. Only for tests: Python has no 1e21 that is not 1e+21."""


class _ByHand(Exception):
    """The standard library's encoder cannot write this."""


class _TooDeep(Exception):
    """Nested too deep."""


def encode(properties: object) -> Optional[str]:
    """The JSON text of properties; nothing if nothing is said."""
    if properties is None or type(properties) is Raw:
        return properties
    try:
        written = _write_by_library(properties)
    except Exception:
        written = _write_by_hand(properties)
    return written if written.isascii() else _escape_half_pairs(written)


def encode_object(properties: object) -> str:
    """:func:`encode`, where nothing is an empty object."""
    written = encode(properties)
    return "{}" if written is None else written


def _stand_in(value: object) -> object:
    """What is written for a value that JSON does not know."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Set, deque)):
        return list(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return string_form(value)


def _stand_in_but_for_decimals(value: object) -> object:
    if isinstance(value, Decimal):
        raise _ByHand
    return _stand_in(value)


# A cycle ends in a RecursionError.
_write_by_library = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    separators=(",", ":"),
    default=_stand_in_but_for_decimals,
).encode


def _write_by_hand(properties: object) -> str:
    try:
        return _value(properties, 1)
    except _TooDeep:
        return TOO_DEEP
    except Exception:
        return NO_JSON


def _value(value: object, depth: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return float.__repr__(value) if isfinite(value) else "null"
    if isinstance(value, Decimal):
        return Decimal.__str__(value) if value.is_finite() else "null"
    return _container(value, depth)


def _container(value: object, depth: int) -> str:
    """An array, an object, or what stands for anything else."""
    content = _content(value)
    if not isinstance(content, (_Items, list)):
        return _value(content, depth)
    if depth > DEPTH:
        raise _TooDeep
    if isinstance(content, _Items):
        return "{" + ",".join([f"{_key(key)}:{_value(item, depth + 1)}" for key, item in content]) + "}"
    return "[" + ",".join([_value(item, depth + 1) for item in content]) + "]"


class _Items(tuple[tuple[object, object], ...]):
    """What is in an object."""


def _content(value: object) -> object:
    """What is in an array or an object; what stands for anything else, or for one that fails."""
    try:
        if isinstance(value, dict):
            return _Items((key, item) for key, item in value.items())
        return list(value) if isinstance(value, (list, tuple)) else _stand_in(value)
    except Exception:
        return string_form(value)


def _key(key: object) -> str:
    """As the standard library writes keys, and the string form of those that it refuses."""
    if isinstance(key, str):
        return encode_basestring(key)
    if key is None or isinstance(key, bool):
        return f'"{_value(key, 0)}"'
    if isinstance(key, int):
        return f'"{_integer(key)}"'
    return encode_basestring(string_form(key))


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        return OUT_OF_RANGE


def _escape_half_pairs(written: str) -> str:
    """Halves of surrogate pairs, which UTF-8 cannot hold, as escapes: the core makes them U+FFFD."""
    try:
        written.encode("utf-8")
    except UnicodeEncodeError:
        return _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", written)
    return written
