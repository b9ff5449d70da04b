"""Trailmark's own answers, in the form of those of the engines."""

import json


def read(path):
    """The answers of `trailmark-bench query --answers FILE`, by the names of the questions here."""
    answers = json.loads(path.read_text())
    found = {}
    for name, answer in answers.items():
        for question, beginning, shape in SHAPES:
            if name.startswith(beginning):
                found.setdefault(question, shape(answer["results"]))
    return found


def trends(results):
    return {"whole": [line["total"] for line in results], "days": [line["values"] for line in results]}


def funnel(results):
    return {"steps": [step["count"] for step in results[0]["steps"]]}


def retention(results):
    return {"values": [[value for value in row["values"] if value is not None] for row in results]}


def breakdown(results):
    lines = [(line["breakdown"][0], line["values"]) for line in results]
    values = {part["value"]: counts for part, counts in lines if "value" in part}
    return {"values": values, "other": sum(sum(counts) for part, counts in lines if "other" in part)}


SHAPES = [
    ("trends", "trends, the 3 most frequent events", trends),
    ("funnel", "funnel, the 5 most frequent events", funnel),
    ("retention", "retention, 12 weeks, first-time, any event", retention),
    ("breakdown", "breakdown by an event property", breakdown),
]


def compared(theirs, ours):
    """`same`, or by how much they differ at the most."""
    pairs = list(numbers(theirs, ours))
    if all(one == other for one, other in pairs):
        return "same"
    return {"differ": sum(one != other for one, other in pairs), "of": len(pairs), "by_at_most": max(abs(one - other) for one, other in pairs)}


def numbers(one, other):
    """The numbers of two values of the same form, in pairs; what one of them lacks is 0 there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from numbers(one.get(key, 0), other.get(key, 0))
    elif isinstance(one, list) and isinstance(other, list):
        for index in range(max(len(one), len(other))):
            yield from numbers(one[index] if index < len(one) else 0, other[index] if index < len(other) else 0)
    elif isinstance(one, (int, float)) and isinstance(other, (int, float)):
        yield one, other
    else:
        yield 1, 0
