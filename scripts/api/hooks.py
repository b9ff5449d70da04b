"""Leads generated requests to what is there: ids of persons and aliases, time zones and times that exist. Every second
or third value stays what was generated. A choice depends on nothing but the value, so a run can be repeated."""

import datetime
import json
import os
import zlib

import schemathesis

ALIASES = json.loads(os.environ["API_SEEDED"])["aliases"]
NAMES = ["$pageview", "signup", "add_to_cart", "checkout"]
TIMEZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"]
# The last three are none.
PATTERNS = ["^3$", "pric", "(", "a{1000}", "\\"]
DATES = ["-30d", "-7d", "-24h", "-3m"]


def dice(value) -> int:
    return zlib.crc32(repr(value).encode())


def pick(value, known: list):
    number = dice(value)
    return value if number % 3 == 0 else known[number // 3 % len(known)]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and "id" in path_parameters:
        # Who is erased is gone: those are from another range.
        people = range(20, 39) if context.operation.method == "delete" else range(20)
        known = [f"{kind}_{number}" for kind in "ud" for number in people]
        path_parameters["id"] = pick(path_parameters["id"], known)
    if path_parameters and "event_id" in path_parameters:
        path_parameters["event_id"] = pick(path_parameters["event_id"], ALIASES)
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    if query and isinstance(query.get("person"), str):
        query["person"] = pick(query["person"], ["u_1", "d_2", "u_30"])
    if query and isinstance(query.get("event"), str):
        query["event"] = pick(query["event"], NAMES)
    return query


def lead(value):
    """A question with names and times that exist."""
    if isinstance(value, list):
        return [lead(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: lead(item) for name, item in value.items()}
    if value.get("op") == "regex":
        value["value"] = PATTERNS[dice(value) % len(PATTERNS)]
    known = {"timezone": TIMEZONES, "date_from": DATES, "date_to": [None], "event": NAMES}
    for name in known.keys() & value.keys():
        if isinstance(value[name], str) and (name == "event" or dice(value[name]) % 8):
            value[name] = known[name][dice(value[name]) % len(known[name])]
    return value


def place(at: dict) -> dict:
    """A place that the answer may well have: small numbers, days of the last two weeks."""
    at = {name: value % 4 if type(value) is int else value for name, value in at.items()}
    if isinstance(at.get("period"), str):
        at["period"] = str(datetime.date.today() - datetime.timedelta(days=dice(at["period"]) % 14))
    return at


@schemathesis.hook
def map_body(context, body):
    if not context.operation.path.startswith("/api/v1/query") or not isinstance(body, dict):
        return body
    body = lead(body)
    if isinstance(body.get("at"), dict):
        body["at"] = place(body["at"])
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Tables are asked for, too."""
    if case.operation.path.startswith("/api/v1/query"):
        accept = ["application/json", "application/json", "text/csv", "application/x-ndjson"]
        case.headers["Accept"] = accept[dice(case.body) % len(accept)]
