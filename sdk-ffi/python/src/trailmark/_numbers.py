"""Numbers as they cross the border. What is none, or does not fit, is not said."""

from __future__ import annotations

from typing import Optional


def whole_number(value: object, bits: int) -> Optional[int]:
    """A number of so many bits, without a sign."""
    try:
        number = int(value)  # type: ignore[call-overload]  # it is caught
    except Exception:
        return None
    return number if 0 <= number < 2**bits else None


def truth(value: object) -> bool:
    """Whether it counts as true."""
    try:
        return bool(value)
    except Exception:
        return False


def real(value: object) -> Optional[float]:
    """A number."""
    try:
        return None if value is None else float(value)  # type: ignore[arg-type]  # it is caught
    except Exception:
        return None
