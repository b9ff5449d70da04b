"""The conformance vectors, cut out of their files so that nothing of their text is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

DIRECTORY = Path(__file__).resolve().parents[3] / "sdk-core" / "tests" / "vectors"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


@dataclass
class Step:
    """One step: its text, and what is in it."""

    text: str
    verb: str
    at: Optional[int]
    #: The arguments, repetitions expanded.
    arguments: dict[str, Any]
    #: The same arguments, each as it is written in the file.
    written: dict[str, str]
    expect: Optional[str]


@dataclass
class File:
    name: str
    text: str
    needs: list[str]
    steps: list[Step]


def files() -> list[File]:
    return [_file(path) for path in sorted(DIRECTORY.glob("*.json"))]


def compact(text: str) -> str:
    """Without the white space between its tokens."""
    return "".join(_TOKEN.findall(text))


def members(text: str) -> dict[str, str]:
    """The members of an object, as they are written."""
    return {json.loads(key): value for key, value in _pairs(text)}


def elements(text: str) -> list[str]:
    """The elements of an array, as they are written."""
    return [element for element in _parts(text)]


def read(text: str) -> Any:
    """The value of a text. Two halves of a surrogate pair that are written as two stay two; 12.50 stays 12.50."""
    halves = _PAIR.sub(lambda pair: chr(int(pair[1], 16)) + chr(int(pair[2], 16)), text)
    return _expand(json.loads(halves, parse_float=_number))


def _number(text: str) -> Any:
    """A float where that is written the same, else a Decimal."""
    return float(text) if repr(float(text)) == text else Decimal(text)


def _expand(value: Any) -> Any:
    if isinstance(value, dict):
        if list(value) == ["$repeat"]:
            text, times = value["$repeat"]
            return text * times
        return {key: _expand(item) for key, item in value.items()}
    return [_expand(item) for item in value] if isinstance(value, list) else value


def _file(path: Path) -> File:
    text = path.read_text(encoding="utf-8")
    known = members(text)
    needs = json.loads(known.get("needs", "[]"))
    return File(path.stem, text, needs, [_step(step) for step in elements(known["steps"])])


def _step(text: str) -> Step:
    known = members(text)
    written = members(known.get("with", "{}"))
    at = known.get("at")
    return Step(
        text=text,
        verb=json.loads(known["do"]),
        at=None if at is None else int(at),
        arguments={name: read(value) for name, value in written.items()},
        written=written,
        expect=known.get("expect"),
    )


def _parts(text: str) -> Iterator[str]:
    """What is between the outermost brackets, cut at the outermost commas."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "]}":
            depth -= 1
        if (token[0] == "," and depth == 1) or (token[0] in "]}" and depth == 0):
            part = text[start : token.start()].strip()
            if part:
                yield part
        if token[0] in "[{":
            depth += 1
        if (token[0] == "," and depth == 1) or (token[0] in "[{" and depth == 1):
            start = token.end()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in _parts(text):
        key = _TOKEN.match(part)
        assert key is not None
        yield key[0], part[key.end() :].lstrip()[1:].strip()
