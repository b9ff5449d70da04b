"""Whatever is handed in, no call raises, and there is a documented result."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import threading
import unittest
import uuid
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Optional

from support import DEADLINE_SECONDS, Case
from trailmark._json import DEPTH, TOO_DEEP, encode
from trailmark._text import text


class Fails:
    """Nothing about it works."""

    def __str__(self) -> str:
        raise ValueError("on purpose")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 7

    def __bool__(self) -> bool:
        raise ValueError("on purpose")


class FailingDict(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise ValueError("on purpose")

    def __iter__(self) -> Any:
        raise ValueError("on purpose")


class ListOfPairs(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        return [("a", 1), ("b",), 7]


class FailingList(list):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        raise ValueError("on purpose")


class FailingZone(tzinfo):
    def utcoffset(self, moment: Optional[datetime]) -> Any:
        raise ValueError("on purpose")


class OddText(str):
    def __str__(self) -> str:
        return "not what it is"

    def encode(self, *_: Any) -> bytes:
        raise ValueError("on purpose")


class OddInt(int):
    def __repr__(self) -> str:
        return "not a number"

    __str__ = __repr__


class OddFloat(float):
    def __repr__(self) -> str:
        return "not a number"


class Endless(Enum):
    ONE = 1

    @property
    def value(self) -> Any:
        return self


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@dataclasses.dataclass
class Cart:
    total: int = 3


Point = namedtuple("Point", "x y")


def cycle() -> dict[str, Any]:
    around: dict[str, Any] = {}
    around["around"] = [around, around]
    return around


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"in": value}
    return value


class Encoder(unittest.TestCase):
    def test_each_kind_of_value_has_its_documented_form(self) -> None:
        berlin = timezone(timedelta(hours=1))
        naive = datetime(2026, 11, 20, 12, 0)
        forms: list[tuple[Any, str]] = [
            ({"b": 1, "a": [True, False, None]}, '{"b":1,"a":[true,false,null]}'),
            ({"n": [1.0, -0.0, 1e21, 2**70, 0.1]}, '{"n":[1.0,-0.0,1e+21,1180591620717411303424,0.1]}'),
            ({"n": [math.nan, math.inf, -math.inf]}, '{"n":[null,null,null]}'),
            ({"n": [Decimal("12.50"), Decimal("1E+3"), Decimal("NaN")]}, '{"n":[12.50,1E+3,null]}'),
            ({"n": [Fraction(1, 4), OddInt(7), OddFloat(0.5), Size.LARGE]}, '{"n":[0.25,7,0.5,3]}'),
            ({"t": 'é"\\/\n\x01\u2028🦀'}, '{"t":"é\\"\\\\/\\n\\u0001\u2028🦀"}'),
            ({"t": ["a\ud800b", "\ud83e\udd80"]}, '{"t":["a\\ud800b","\\ud83e\\udd80"]}'),
            ({"t": [OddText("what it is"), Colour.RED]}, '{"t":["what it is","red"]}'),
            ({"d": datetime(2026, 11, 20, 13, 0, 0, 500, berlin)}, '{"d":"2026-11-20T12:00:00.000500Z"}'),
            ({"d": datetime(2026, 11, 20, 13, 0, tzinfo=berlin)}, '{"d":"2026-11-20T12:00:00Z"}'),
            (
                {"d": naive},
                json.dumps({"d": naive.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}, separators=(",", ":")),
            ),
            ({"d": [date(2026, 11, 20), time(12, 30)]}, '{"d":["2026-11-20","12:30:00"]}'),
            ({"u": uuid.UUID(int=7)}, '{"u":"00000000-0000-0000-0000-000000000007"}'),
            ({"s": [(1, 2), {3}, frozenset([4]), deque([5]), Point(6, 7)]}, '{"s":[[1,2],[3],[4],[5],[6,7]]}'),
            (
                {"m": [MappingProxyType({"a": 1}), OrderedDict(b=2), defaultdict(int, c=3)]},
                '{"m":[{"a":1},{"b":2},{"c":3}]}',
            ),
            ({"o": [Cart(), b"caf\xc3\xa9\xff"]}, '{"o":["Cart(total=3)","café\ufffd"]}'),
            ({}, "{}"),
            ([1], "[1]"),
            ("text", '"text"'),
        ]
        for value, form in forms:
            self.assertEqual(encode(value), form)
        self.assertIsNone(encode(None))

    def test_keys_and_values_that_fail_have_a_form_too(self) -> None:
        self.assertEqual(encode({2: "a", None: "b", True: "c", 1.5: "d"}), '{"2":"a","null":"b","true":"c","1.5":"d"}')
        self.assertEqual(encode({(1, 2): "a", Colour.RED: 1}), '{"(1, 2)":"a","red":1}')
        self.assertEqual(encode({"f": Fails(), Fails(): 1}), '{"f":"<Fails>","<Fails>":1}')
        self.assertEqual(encode({"f": FailingDict(a=1)}), '{"f":"{\'a\': 1}"}')
        self.assertEqual(encode({"f": ListOfPairs(a=1)}), '{"f":"{\'a\': 1}"}')
        self.assertEqual(encode({"f": FailingList([1])}), '{"f":"[1]"}')
        self.assertEqual(encode({"f": datetime(2026, 1, 1, tzinfo=FailingZone())}), '{"f":"<datetime>"}')
        self.assertEqual(encode({"n": 10**5_000}), '{"n":1e999}')
        self.assertRegex(str(encode({"e": Endless.ONE})), "Endless")

    def test_what_the_fast_and_the_slow_way_write_is_the_same(self) -> None:
        for seed in range(2_000):
            value = {"v": plain(random.Random(seed), 4)}
            # A Decimal anywhere sends the whole of it the slow way.
            slow = encode({**value, "slow": Decimal(1)})
            self.assertEqual(str(encode(value))[:-1] + ',"slow":1}', slow)

    def test_nesting_is_allowed_up_to_the_limit_and_ends_beyond_it(self) -> None:
        self.assertEqual(json.loads(str(encode(nested(DEPTH)))), nested(DEPTH))
        for deep in (cycle(), nested(100_000), {"d": Decimal(1), **nested(DEPTH + 1)}):
            self.assertEqual(encode(deep), TOO_DEEP)

    def test_texts_are_whole_and_never_fail(self) -> None:
        self.assertEqual(text("a\ud800b"), "a\ufffdb")
        self.assertEqual(text("\ud83e\udd80"), "🦀")
        self.assertEqual([text(None), text(7), text(Colour.RED), text(b"\xff")], ["", "7", "red", "\ufffd"])
        self.assertEqual([text(Fails()), text(OddText("it"))], ["<Fails>", "it"])


class Foreign(Case):
    def test_what_the_limits_refuse_is_counted_under_its_reason(self) -> None:
        client = self.client()
        client.track("deep", cycle())
        client.track("deep", nested(DEPTH + 1))
        client.track("list", [1])  # type: ignore[arg-type]
        client.track("large", {"list": ["x" * 8_000] * 10})
        client.track("number", {"n": 10**5_000})
        client.track("keys", {str(n): n for n in range(513)})
        client.track(None)  # type: ignore[arg-type]
        client.track("x" * 201)
        reasons = {"too_deep": 2, "invalid_event": 1, "too_large": 1, "number_out_of_range": 1}
        self.assertEqual(
            client.stats().dropped, {**reasons, "too_many_properties": 1, "missing_name": 1, "name_too_long": 1}
        )

    def test_ten_megabytes_are_cut_or_refused_and_nothing_else_happens(self) -> None:
        client = self.client()
        large = "é" * 10_000_000
        client.track("cut", {"large": large})
        client.track(large)
        client.identify(large, {"large": large})
        client.register({"large": large})
        client.group(large, large, {large: large})
        client.capture_exception(ValueError(large))
        stats = client.stats()
        self.assertGreaterEqual(stats.truncated, 1)
        self.assertEqual(stats.captured, stats.queued + sum(stats.dropped.values()))

    def test_half_a_surrogate_pair_arrives_as_the_replacement_character(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        client.track("half \ud800", {"half\udfff": "a\ud800b"})
        client.flush_blocking(DEADLINE_SECONDS)
        self.assertEqual(peer.events[0]["event"], "half \ufffd")
        self.assertEqual(peer.events[0]["properties"], {"half\ufffd": "a\ufffdb"})

    def test_no_call_raises_whatever_it_is_handed(self) -> None:
        """Seeded, so that a failure can be looked at again."""
        client = self.client(max_queue_events=100)
        with self.assertNoLogs("trailmark"):
            for seed in range(3_000):
                chance = random.Random(seed)
                name, call = chance.choice(CALLS)
                arguments = [foreign(chance, 4) for _ in range(12)]
                try:
                    call(client, arguments)
                except Exception as error:
                    raise AssertionError(f"{name} with seed {seed}") from error
        stats = client.stats()
        self.assertEqual((stats.panics, stats.captured), (0, stats.queued + sum(stats.dropped.values())))


HUGE, CYCLE, DEEP, DEEPER = 10**5_000, cycle(), nested(40), nested(5_000)


def plain(chance: random.Random, depth: int) -> Any:
    """Something that JSON knows, or that has a form."""
    leaves = [
        None,
        True,
        7,
        2**70,
        0.1,
        -0.0,
        "text",
        'é"\\\n',
        "\ud800",
        date(2026, 1, 1),
        Colour.RED,
        Size.LARGE,
        b"x",
    ]
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(leaves)
    inner = [plain(chance, depth - 1) for _ in range(chance.randrange(4))]
    keys = [1, "k", None, False, 2.5, 'é"', "\udfff"]
    return chance.choice([inner, tuple(inner), deque(inner), {keys[n]: item for n, item in enumerate(inner)}])


def foreign(chance: random.Random, depth: int) -> Any:
    """Anything."""
    leaves: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chance.choice([True, 0, -1, 2**64, HUGE, 0.5, math.nan, -math.inf, Decimal("sNaN"), 3j]),
        lambda: "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(30))),
        lambda: chance.choice(["", "null", "u_1", "$alias", "\ud800", "\0", "tm_sk_x"]),
        lambda: chance.randbytes(chance.randrange(20)),
        lambda: chance.choice([datetime.min, datetime.max, datetime.max.replace(tzinfo=timezone.max), date.min]),
        lambda: chance.choice([Fails(), FailingDict(a=1), FailingList([1]), ListOfPairs(a=1), OddText("x"), OddInt(3)]),
        lambda: chance.choice([Fails, object(), lambda: 1, threading.Lock(), iter([1]), range(5), Ellipsis, Cart()]),
        lambda: chance.choice([Colour.RED, Endless.ONE, ValueError("v"), datetime(2026, 1, 1, tzinfo=FailingZone())]),
        lambda: chance.choice([CYCLE, DEEP, DEEPER, memoryview(b"x"), bytearray(b"\xff")]),
    ]
    if depth == 0 or chance.random() < 0.5:
        return chance.choice(leaves)()
    inner = [foreign(chance, depth - 1) for _ in range(chance.randrange(5))]
    return chance.choice([inner, tuple(inner), deque(inner), {key(chance): item for item in inner}])


def key(chance: random.Random) -> Any:
    return chance.choice(["k", "", "\ud800", 1, None, 2.5, math.nan, (1,), Fails(), Colour.RED, b"k", HUGE])


#: All calls, each with as many arguments as it takes.
CALLS: list[tuple[str, Callable[[Any, list[Any]], Any]]] = [
    ("track", lambda client, a: client.track(a[0], a[1])),
    ("screen", lambda client, a: client.screen(a[0], a[1])),
    (
        "capture",
        lambda client, a: client.capture(
            a[0],
            user_id=a[1],
            anonymous_id=a[2],
            other_user_id=a[3],
            session_id=a[4],
            id=a[5],
            timestamp=a[6],
            properties=a[7],
            context=a[8],
            set=a[9],
            set_once=a[10],
        ),
    ),
    (
        "capture_exception",
        lambda client, a: client.capture_exception(
            7 if a[0] is None else a[0], handled=a[1], level=a[2], fingerprint=a[3], properties=a[4]
        ),
    ),
    (
        "capture_request",
        lambda client, a: client.capture_request(
            a[0], a[1], status=a[2], duration_ms=a[3], error=a[4], properties=a[5]
        ),
    ),
    ("app_opened", lambda client, a: client.app_opened(a[0], a[1])),
    ("app_backgrounded", lambda client, a: client.app_backgrounded()),
    ("identify", lambda client, a: client.identify(a[0], a[1], a[2])),
    ("set_person_properties", lambda client, a: client.set_person_properties(a[0], a[1])),
    ("alias", lambda client, a: client.alias(a[0])),
    ("group", lambda client, a: client.group(a[0], a[1], a[2])),
    ("register", lambda client, a: client.register(a[0])),
    ("register_once", lambda client, a: client.register_once(a[0])),
    ("unregister", lambda client, a: client.unregister(a[0])),
    ("set_context", lambda client, a: client.set_context(a[0])),
    ("reset", lambda client, a: client.reset()),
    ("delete_my_data", lambda client, a: (client.delete_my_data(), client.opt_in())),
    (
        "flush_blocking",
        lambda client, a: client.flush_blocking(a[0] if isinstance(a[0], (str, list, type(None))) else 0),
    ),
    ("stats", lambda client, a: client.stats()),
]
