"""The questions of bench/src/query/questions.rs, as each engine answers them best.

Times are milliseconds since 1970. An event holds an identity; whose it is stands in a table of identities (ClickHouse: a
dictionary over it), which is asked anew each time, as Trailmark does. Where one way of asking is not plainly the best, there
are several: each is tried, and the fastest is measured.
"""

DAY = 86_400_000
WEEK = 7 * DAY
END = 1_795_262_400_000  # 2026-11-21T12:00:00Z, `END` of bench/src/query/history.rs
FROM = END - 30 * DAY - DAY // 2  # The beginning of the day 30 days ago
DAYS = 31
FIRST_WEEK = END - 5 * DAY - DAY // 2 - 11 * WEEK  # The Monday that begins the first of twelve weeks
WEEKS = 12
WINDOW = 14 * DAY
MONTH = f"ms >= {FROM} AND ms < {END}"

# Every event's week as a bit; bit 0 is the time before the first.
WEEK_BIT = f"CASE WHEN ms < {FIRST_WEEK} THEN 0 ELSE 1 + (ms - {FIRST_WEEK}) {{div}} {WEEK} END"

PERSON = "dictGetUInt32('persons', 'person', toUInt64(identity))"
CLICKHOUSE = {
    "trends": {
        "bitmaps": f"""
            SELECT name, groupBitmap({PERSON}), groupBitmapResample(0, {DAYS}, 1)({PERSON}, intDiv(ms - {FROM}, {DAY}))
            FROM events WHERE name <= 3 AND {MONTH} GROUP BY name ORDER BY name""",
        "uniqExact": f"""
            SELECT name, uniqExact({PERSON}), uniqExactResample(0, {DAYS}, 1)({PERSON}, intDiv(ms - {FROM}, {DAY}))
            FROM events WHERE name <= 3 AND {MONTH} GROUP BY name ORDER BY name""",
    },
    # Ties are in the order of the steps, not of `seq`: the function takes no second key.
    "funnel": {
        "windowFunnel": f"""
            SELECT level, count() FROM (
                SELECT {PERSON} AS person, windowFunnel({WINDOW})(ms, name = 1, name = 2, name = 3, name = 4, name = 5) AS level
                FROM events WHERE name <= 5 AND {MONTH} GROUP BY person)
            GROUP BY level ORDER BY level""",
    },
    "retention": {
        "bits of weeks": f"""
            SELECT weeks, count() FROM (
                SELECT {PERSON} AS person, groupBitOr(bitShiftLeft(1::UInt16, {WEEK_BIT.format(div="DIV")})) AS weeks
                FROM events WHERE ms < {END} GROUP BY person)
            GROUP BY weeks""",
        "bits of weeks, by identity first": f"""
            SELECT weeks, count() FROM (
                SELECT {PERSON} AS person, groupBitOr(weeks) AS weeks FROM (
                    SELECT identity, groupBitOr(bitShiftLeft(1::UInt16, {WEEK_BIT.format(div="DIV")})) AS weeks
                    FROM events WHERE ms < {END} GROUP BY identity)
                GROUP BY person)
            GROUP BY weeks""",
        # The bitmaps of weeks 0 (all before the first) to 12 are numbered from 1.
        "bitmaps": f"""
            SELECT arrayMap(w -> arrayMap(v -> bitmapAndCardinality(fresh[w], there[v]), range(w + 1, {WEEKS + 2})), range(1, {WEEKS + 1}))
            FROM (SELECT there, arrayMap(w -> bitmapAndnot(there[w + 1], arrayFold((seen, one) -> bitmapOr(seen, one),
                                                                                 arraySlice(there, 2, w - 1), there[1])),
                                         range(1, {WEEKS + 1})) AS fresh
                  FROM (SELECT groupBitmapStateResample(0, {WEEKS + 1}, 1)({PERSON}, {WEEK_BIT.format(div="DIV")}) AS there
                        FROM events WHERE ms < {END}))""",
    },
    "breakdown": {
        "resampled": f"""
            SELECT property, countResample(0, {DAYS}, 1)(intDiv(ms - {FROM}, {DAY}))
            FROM events WHERE name = 1 AND {MONTH} GROUP BY property""",
        "grouped": f"""
            SELECT property, arrayMap(p -> p.2, arraySort(groupArray((day, n)))) FROM (
                SELECT property, intDiv(ms - {FROM}, {DAY}) AS day, count() AS n
                FROM events WHERE name = 1 AND {MONTH} GROUP BY property, day)
            GROUP BY property""",
    },
}

EACH_DAY = ", ".join(f"sum((days >> {day}) & 1)" for day in range(DAYS))
# For each beginning the earliest next step, and so on; of several ways to a step the one that began last. (The same by window
# functions over the events of a person took three times as long.)
NEXT = "".join(
    f""", way{step} AS (SELECT person, key, max(began) AS began FROM (
              SELECT w.person, s.key, w.began FROM way{step - 1} w
              ASOF JOIN (SELECT person, ms * 1048576 + seq AS key FROM steps WHERE name = {step}) s
              ON s.person = w.person AND s.key > w.key WHERE s.key // 1048576 - w.began <= {WINDOW}) GROUP BY ALL)"""
    for step in range(2, 6)
)
STEPS = f"steps AS MATERIALIZED (SELECT person, name, ms, seq FROM events JOIN identities USING (identity) WHERE name <= 5 AND {MONTH})"
DUCKDB = {
    "trends": {
        "bits of days, by identity first": f"""
            SELECT name, count(*), [{EACH_DAY}] FROM (
                SELECT name, person, bit_or(days) AS days FROM (
                    SELECT name, identity, bit_or(1::UINTEGER << ((ms - {FROM}) // {DAY})::UINTEGER) AS days
                    FROM events WHERE name <= 3 AND {MONTH} GROUP BY ALL) JOIN identities USING (identity) GROUP BY ALL)
            GROUP BY name ORDER BY name""",
        "bits of days": f"""
            SELECT name, count(*), [{EACH_DAY}] FROM (
                SELECT name, person, bit_or(1::UINTEGER << ((ms - {FROM}) // {DAY})::UINTEGER) AS days
                FROM events JOIN identities USING (identity) WHERE name <= 3 AND {MONTH} GROUP BY ALL)
            GROUP BY name ORDER BY name""",
    },
    "funnel": {
        "asof joins": f"""
            WITH {STEPS}, way1 AS (SELECT person, ms * 1048576 + seq AS key, ms AS began FROM steps WHERE name = 1){NEXT}
            SELECT level, count(*) FROM (
                SELECT person, max(level) AS level FROM ({" UNION ALL ".join(
                    f"SELECT DISTINCT person, {step} AS level FROM way{step}" for step in range(1, 6))}) GROUP BY person)
            GROUP BY level ORDER BY level""",
    },
    "retention": {
        "bits of weeks, by identity first": f"""
            SELECT weeks, count(*) FROM (
                SELECT person, bit_or(weeks) AS weeks FROM (
                    SELECT identity, bit_or(1::USMALLINT << ({WEEK_BIT.format(div="//")})::USMALLINT) AS weeks
                    FROM events WHERE ms < {END} GROUP BY identity) JOIN identities USING (identity) GROUP BY person)
            GROUP BY weeks""",
        "bits of weeks": f"""
            SELECT weeks, count(*) FROM (
                SELECT person, bit_or(1::USMALLINT << ({WEEK_BIT.format(div="//")})::USMALLINT) AS weeks
                FROM events JOIN identities USING (identity) WHERE ms < {END} GROUP BY person)
            GROUP BY weeks""",
    },
    "breakdown": {
        "grouped": f"""
            SELECT property, list(n ORDER BY day) FROM (
                SELECT property, (ms - {FROM}) // {DAY} AS day, count(*) AS n
                FROM events WHERE name = 1 AND {MONTH} GROUP BY ALL) GROUP BY property""",
    },
}


def trends(rows):
    """Unique persons of each series: in the whole stretch, and day by day."""
    return {"whole": [row[1] for row in rows], "days": [row[2] for row in rows]}


def funnel(rows):
    """Persons who took each step, from those who got exactly so far."""
    exactly = dict(rows)
    return {"steps": [sum(exactly.get(level, 0) for level in range(step, 6)) for step in range(1, 6)]}


def retention(rows):
    """Of each week those who were new in it, and how many of them were there so many weeks later."""
    if len(rows[0]) == 1:
        return {"values": rows[0][0]}
    cells = [[0] * (WEEKS - week) for week in range(WEEKS)]
    for bits, persons in rows:
        if not bits & 1:
            first = (bits & -bits).bit_length() - 1
            for week in range(first, WEEKS + 1):
                cells[first - 1][week - first] += persons * (bits >> week & 1)
    return {"values": cells}


def breakdown(rows):
    """The ten most frequent values, day by day, and all others together."""
    rows = sorted(rows, key=lambda row: (-sum(row[1]), row[0]))
    return {"values": {row[0]: row[1] for row in rows[:10]}, "other": sum(sum(row[1]) for row in rows[10:])}


SHAPES = {"trends": trends, "funnel": funnel, "retention": retention, "breakdown": breakdown}
