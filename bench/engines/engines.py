#!/usr/bin/env python3
"""Asks ClickHouse's engine (chdb) and DuckDB what `trailmark-bench query` asks Trailmark, of the same events.

    engines.py --files DIR --data DIR [--events N] [--times 5] [--engine chdb|duckdb] [--ours FILE]

`--files` has what `trailmark-bench history` wrote, `--data` takes each engine's own storage, kept for the next run. Each
engine has a process of its own for loading and one for asking, two threads, and an answer that does not count before those
that do. Prints one JSON line for each engine and question: the answer, milliseconds of wall and of CPU. With --ours, the file of
`trailmark-bench query --answers FILE`, also whether all say the same.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

import ours
import questions

THREADS = 2


class Chdb:
    """A MergeTree in partitions of a week, which its questions skip, ordered as Trailmark's segments are."""

    questions = questions.CLICKHOUSE
    create = [
        """CREATE TABLE identities (identity UInt32, person UInt32) ENGINE = MergeTree ORDER BY identity""",
        """CREATE TABLE events (name UInt16, identity UInt32 CODEC(Delta, LZ4), ms UInt64 CODEC(Delta, LZ4), seq UInt32 CODEC(Delta, LZ4), session Int64,
               property LowCardinality(Nullable(String)))
           ENGINE = MergeTree PARTITION BY intDiv(ms - 345600000, 604800000) ORDER BY (name, identity, ms)""",
    ]

    def __init__(self, data):
        from chdb import session

        self.data = data
        self.session = session.Session(str(data))
        self.run("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        self.run("USE bench")
        self.run(f"SET max_threads = {THREADS}, max_insert_threads = {THREADS}")

    def run(self, sql):
        return self.session.query(sql)

    def load(self, files):
        for statement in self.create:
            self.run(statement)
        self.run(f"INSERT INTO identities SELECT identity, person FROM file('{files}/identities.parquet', Parquet)")
        self.run(f"INSERT INTO events SELECT name, identity, ms, seq, session, property FROM file('{files}/events-*.parquet', Parquet)")
        self.run("OPTIMIZE TABLE events FINAL")

    def begin(self):
        # An array: what a dictionary looks up quickest.
        self.run("""CREATE OR REPLACE DICTIONARY persons (identity UInt64, person UInt32) PRIMARY KEY identity
                    SOURCE(CLICKHOUSE(DB 'bench' TABLE 'identities')) LIFETIME(0)
                    LAYOUT(FLAT(INITIAL_ARRAY_SIZE 1000000 MAX_ARRAY_SIZE 100000000))""")
        self.run("SYSTEM RELOAD DICTIONARY persons")

    def ask(self, sql):
        return json.loads(str(self.session.query(sql + " SETTINGS output_format_json_quote_64bit_integers = 0", "JSONCompact")))["data"]

    def counted(self):
        return self.ask("SELECT count() FROM events")[0][0]

    def bytes(self):
        return self.ask("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events' AND database = 'bench'")[0][0]

    def columns(self):
        sizes = self.ask("SELECT name, data_compressed_bytes FROM system.columns WHERE table = 'events' AND database = 'bench'")
        return {name: round(size / self.counted(), 2) for name, size in sizes}

    def version(self):
        return str(self.ask("SELECT version()")[0][0])


class Duckdb:
    """Its own file, ordered as Trailmark's segments are: week, name, identity, time."""

    questions = questions.DUCKDB

    def __init__(self, data):
        import duckdb

        data.mkdir(exist_ok=True)
        self.file = data / "bench.duckdb"
        self.connection = duckdb.connect(str(self.file))
        self.run(f"SET threads = {THREADS}")
        self.run("SET memory_limit = '8GB'")
        self.run(f"SET temp_directory = '{data}/temp'")

    def run(self, sql):
        return self.connection.execute(sql)

    def load(self, files):
        self.run(f"CREATE TABLE identities AS SELECT identity::UINTEGER AS identity, person::UINTEGER AS person "
                 f"FROM '{files}/identities.parquet' ORDER BY 1")
        self.run(f"CREATE TYPE value AS ENUM (SELECT DISTINCT property FROM '{files}/events-*.parquet' "
                 f"WHERE property IS NOT NULL ORDER BY 1)")
        self.run(f"CREATE TABLE events AS SELECT name::USMALLINT AS name, identity::UINTEGER AS identity, ms, seq::UINTEGER AS seq, "
                 f"session, property::value AS property FROM '{files}/events-*.parquet' "
                 f"ORDER BY name, (ms - 345600000) // 604800000, identity, ms")
        self.run("CHECKPOINT")

    def begin(self):
        pass

    def ask(self, sql):
        return [list(row) for row in self.run(sql).fetchall()]

    def counted(self):
        return self.ask("SELECT count(*) FROM events")[0][0]

    def bytes(self):
        return self.file.stat().st_size

    def columns(self):
        """It does not tell."""
        return {}

    def version(self):
        return self.ask("SELECT version()")[0][0]


ENGINES = {"chdb": Chdb, "duckdb": Duckdb}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib():
    """The most memory that this process had at once. (`ru_maxrss` would be of who started it, too.)"""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def say(**what):
    print(json.dumps(what, default=str), flush=True)


def timed(engine, sql):
    wall, cpu = time.monotonic(), cpu_seconds()
    rows = engine.ask(sql)
    return rows, (time.monotonic() - wall) * 1e3, (cpu_seconds() - cpu) * 1e3


def load(name, args):
    data = args.data / name
    mark = data / "loaded"
    if mark.exists() and mark.read_text() == str(args.events):
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    began = time.monotonic()
    engine = ENGINES[name](data)
    engine.load(args.files)
    say(engine=name, loaded_s=round(time.monotonic() - began), peak_mib=peak_mib())
    mark.write_text(str(args.events))


def ask(name, args):
    engine = ENGINES[name](args.data / name)
    engine.begin()
    events = engine.counted()
    if events != args.events:
        sys.exit(f"{name} has {events} events")
    say(engine=name, version=engine.version(), events=events, bytes_per_event=round(engine.bytes() / events, 2),
        columns=engine.columns())
    theirs = ours.read(args.ours) if args.ours else {}
    for question, ways in engine.questions.items():
        if args.only and question not in args.only:
            continue
        # Three times: the first finds the cache cold.
        tried = {way: min(timed(engine, sql)[1] for _ in range(3)) for way, sql in ways.items()}
        best = min(tried, key=tried.get)
        took = [timed(engine, ways[best]) for _ in range(args.times)]
        answer = questions.SHAPES[question](took[0][0])
        wall, cpu = [one[1] for one in took], [one[2] for one in took]
        same = {"as_ours": ours.compared(answer, theirs[question])} if question in theirs else {}
        say(engine=name, question=question, way=best, wall_ms=round(statistics.median(wall), 1), min_ms=round(min(wall), 1),
            max_ms=round(max(wall), 1), cpu_ms=round(statistics.median(cpu), 1), tried_ms={way: round(ms) for way, ms in tried.items()},
            **same, answer=answer)
    say(engine=name, peak_mib=peak_mib())
    # What chdb does at exit is no part of this.
    sys.stdout.flush()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--events", type=int, default=int(os.environ.get("EVENTS", 10_000_000)))
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--only", action="append")
    parser.add_argument("--ours", type=pathlib.Path)
    parser.add_argument("--step", choices=["load", "ask"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        {"load": load, "ask": ask}[args.step](args.engine[-1], args)
        return
    for name in args.engine or ENGINES:
        for step in ("load", "ask"):
            # The last `--engine` is the one that is meant.
            command = [sys.executable, __file__, *sys.argv[1:], "--engine", name, "--step", step]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
