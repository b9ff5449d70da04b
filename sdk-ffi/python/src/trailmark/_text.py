"""Texts as they cross the border: never an error, always valid Unicode."""

from __future__ import annotations

from enum import Enum
from typing import Optional


def text(value: object) -> str:
    """The text that is meant: nothing for `None`, the value of an enum, otherwise the string form.

    Half a surrogate pair, which no UTF-8 can hold, becomes U+FFFD.
    """
    if type(value) is str and value.isascii():
        return value
    if value is None:
        return ""
    return whole(string_form(value))


def optional_text(value: object) -> Optional[str]:
    """:func:`text`, where `None` means that nothing is said."""
    return None if value is None else text(value)


def string_form(value: object) -> str:
    """What `str` says; of an enum, its value; bytes as UTF-8; `<Cart>` for a Cart that cannot say anything."""
    try:
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).decode("utf-8", "replace")
        return str.__str__(value if isinstance(value, str) else str(value))
    except Exception:
        return f"<{type(value).__name__}>"


def whole(form: str) -> str:
    """The text without halves of surrogate pairs; two halves that fit become one character."""
    try:
        form.encode("utf-8")
    except UnicodeEncodeError:
        return form.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return form
