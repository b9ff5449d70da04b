"""How arguments are written for the library: a better hand for the generated layer.

The generated one lets a buffer of the library grow piece by piece, and frees it if anything is raised meanwhile.
Ctrl-C is raised anywhere, also between the library's move of a buffer and Python's note of it: then the old one is
freed twice, and the process aborts. Here Python collects all bytes, and the library copies them once. At worst a buffer
is left over.

It is also more than twice as fast: see `tests/measure.py`.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Optional

from . import _ffi

#: Lengths cross the border in 32 bits.
_MOST_BYTES = 2**31 - 1

_LENGTH = struct.Struct(">i")


class _Bytes(ctypes.Structure):
    """As the library takes bytes: the same as the generated layer's, but Python's own can be put into it."""

    _fields_ = [("len", ctypes.c_int32), ("data", ctypes.c_char_p)]


def _copier() -> Any:
    """The library's function that copies bytes. Loaded again, because its types belong to the generated layer."""
    copy = ctypes.CDLL(_ffi._UniffiLib._name).ffi_trailmark_ffi_rustbuffer_from_bytes
    copy.argtypes = (_Bytes, ctypes.POINTER(_ffi._UniffiRustCallStatus))
    copy.restype = _ffi._UniffiRustBuffer
    return copy


_copy = _copier()


def lower(data: bytes) -> Any:
    """A buffer of the library with these bytes; whoever gets it has to hand it over to the library.

    Raises OverflowError for more than 2 GiB.
    """
    if len(data) > _MOST_BYTES:
        raise OverflowError("more than 2 GiB")
    status = _ffi._UniffiRustCallStatus.default()  # type: ignore[no-untyped-call]  # it is generated
    buffer = _copy(_Bytes(len(data), data), status)
    _ffi._uniffi_check_call_status(None, status)  # type: ignore[no-untyped-call]  # it is generated
    return buffer


class Builder(_ffi._UniffiRustBufferBuilder):
    """Collects what is written."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, value: bytes) -> None:
        self._written += value

    def _pack_into(self, size: int, form: str, value: Any) -> None:
        self._written += struct.pack(form, value)

    def finalize(self) -> Any:
        return lower(bytes(self._written))

    def discard(self) -> None:
        """Nothing is held that would have to be freed."""


def lower_text(value: str) -> Any:
    """A text that is an argument of its own."""
    return lower(value.encode())


def lower_optional_text(value: Optional[str]) -> Any:
    """A text that may be missing."""
    if value is None:
        return lower(b"\0")
    data = value.encode()
    return lower(b"\1" + _LENGTH.pack(len(data)) + data)


def install() -> None:
    """Takes the place of the generated functions. A newer generator that names them otherwise fails here, at once."""
    for owner, name, ours in (
        (_ffi, "_UniffiRustBufferBuilder", Builder),
        (_ffi._UniffiFfiConverterString, "lower", staticmethod(lower_text)),
        (_ffi._UniffiFfiConverterOptionalString, "lower", staticmethod(lower_optional_text)),
    ):
        getattr(owner, name)
        setattr(owner, name, ours)
