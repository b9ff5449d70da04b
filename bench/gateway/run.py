#!/usr/bin/env python3
"""CPU and requests a second of gateways side by side: Trailmark, nginx, haproxy, and the Express gateway that Trailmark replaces.

One upstream (nginx, 1 KB answers), one load generator (wrk, one thread, 32 connections), one worker thread for each gateway,
all on loopback. Rounds are interleaved, so that a slow minute of the machine hits all alike; medians are printed. CPU is that
of the gateway's own processes, from /proc, over the requests that wrk has counted.

    run.py TRAILMARK [--seconds 5] [--rounds 5] [--only NAME …]
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UPSTREAM = 9100
HERE = Path(__file__).parent
SECRET = "bench-secret-of-at-least-32-bytes-length"
TICKS = os.sysconf("SC_CLK_TCK")
# A gateway that does not listen after this long never will: Postgres takes about 5 s on a busy machine.
PATIENCE_S = 60


def token():
    """A token that is good for a day, signed with SECRET."""
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    now = int(time.time())
    claims = {"sub": "u_7", "roles": ["user"], "iss": "bench", "aud": "bench", "iat": now, "exp": now + 86_400}
    head = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
    return (head + b"." + encode(hmac.digest(SECRET.encode(), head, hashlib.sha256))).decode()


def routes(count):
    """`count` routes, of which the last but `/users` are never asked for."""
    others = [f'[[routes]]\nid = "r{n}"\nprefix = "/service-{n}/api"\nupstream = "up"\nauth = []\n' for n in range(count - 1)]
    return "\n".join(others)


BARE = """version = 1
log = { enabled = false }
response_headers = {}
[upstreams.up]
endpoints = [{ url = "http://127.0.0.1:9100" }]
[[routes]]
id = "users"
prefix = "/users"
upstream = "up"
auth = []
"""

# Everything that a request of a signed-in user meets: token, role, three limits, signed identity, header rules, access log,
# CORS, retries, breaker, health checks.
FULL = """version = 1
[log]
enabled = true
target = "LOG"
[identity]
secret = "0123456789abcdef0123456789abcdef"
[cors]
origins = ["https://app.example"]
[auth.jwt.main]
issuer = "bench"
audience = ["bench"]
algorithms = ["HS256"]
secret = "SECRET"
[limits.ip]
key = "ip"
rate = 1000000
per = "1s"
[limits.user]
key = "user"
rate = 1000000
per = "1s"
[limits.all]
key = "route"
rate = 1000000
per = "1s"
[upstreams.up]
endpoints = [{ url = "http://127.0.0.1:9100" }]
health = { path = "/health" }
[[routes]]
id = "users"
prefix = "/users"
upstream = "up"
auth = ["jwt:main"]
any_role = ["user"]
limits = ["ip", "user", "all"]
request_headers = { set = { x-tenant = "${claims.sub}" }, remove = ["x-debug"] }
response_headers = { set = { x-served-by = "trailmark" } }
"""

NGINX = """worker_processes 1; daemon off; pid PID; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  upstream up { server 127.0.0.1:9100; keepalive 64; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:9201; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
"""

UPSTREAM_CONFIG = """worker_processes 1; daemon off; pid PID; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:9100; location / { return 200 "BODY"; } } }
"""

HAPROXY = """global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:9202
  default_backend b
backend b
  server s 127.0.0.1:9100
"""


class Gateway:
    """A gateway under test: how it is started, where it listens, and what is sent to it."""

    def __init__(self, name, port, command, env=None, headers=(), path="/users/1"):
        self.name, self.port, self.command, self.env = name, port, command, env or {}
        self.headers, self.path = list(headers), path
        self.process = None

    def start(self, log):
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **self.env}, stdout=log, stderr=log, start_new_session=True
        )
        until_listening(self.port, self.process)

    def pids(self):
        """Its processes, without a private Postgres and its children."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        own = [pid for pid in map(int, children) if command_of(pid) != "postgres"]
        return [self.process.pid, *own]

    def cpu(self):
        return sum(cpu_of(pid) for pid in self.pids())

    def resident_mb(self):
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def cpu_of(pid):
    """Seconds of user and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def until_listening(port, process):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"it ended before it listened on {port}: {process.args}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


def load(gateway, seconds, *more):
    """What wrk says of one round."""
    headers = [word for header in gateway.headers for word in ("-H", header)]
    url = f"http://127.0.0.1:{gateway.port}{gateway.path}"
    command = ["wrk", "-t1", "-c32", f"-d{seconds}", "--latency", *headers, *more, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"{gateway.name}: {said}")
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    return requests


def measure(gateways, seconds, rounds):
    """Rounds of all gateways in turn: CPU µs a request and requests a second of each."""
    results = {gateway.name: ([], []) for gateway in gateways}
    for gateway in gateways:
        load(gateway, 1)
    for _ in range(rounds):
        for gateway in gateways:
            before = gateway.cpu()
            requests = load(gateway, seconds)
            spent = gateway.cpu() - before
            cpu, rate = results[gateway.name]
            cpu.append(spent / requests * 1e6)
            rate.append(requests / seconds)
    return results


def trailmark(binary, home, name, port, config, headers=()):
    """A server with this gateway file, with one worker thread and a Postgres of its own, which rests."""
    place = home / name
    place.mkdir()
    (place / "gateway.toml").write_text(config.replace("LOG", str(place / "access.log")).replace("SECRET", SECRET))
    env = {
        "TOKIO_WORKER_THREADS": "1",
        "TRAILMARK__GATEWAY__FILE": str(place / "gateway.toml"),
        "TRAILMARK__GATEWAY__ADMIN_LISTEN": "127.0.0.1:0",
        "TRAILMARK__RATE_LIMIT__PER_IP_PER_SECOND": "0",
    }
    command = [binary, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", str(place / "data")]
    return Gateway(name, port, command, env, headers)


def express(home):
    """The Express gateway, in a folder where npm has put its parts."""
    place = home / "express"
    shutil.copytree(HERE / "express", place)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True)
    return Gateway("Express", 9203, ["node", str(place / "gateway.js")], {"NODE_ENV": "production", "HERE": str(place)}, path="/users/1")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("trailmark")
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", nargs="*")
    given = arguments.parse_args()
    home = Path(tempfile.mkdtemp(prefix="trailmark-bench-gateway-", dir="/var/tmp"))
    home.chmod(0o755)
    log = (home / "log").open("w")

    def written(name, text):
        path = home / name
        path.write_text(text.replace("PID", str(home / f"{name}.pid")).replace("BODY", "x" * 1024))
        return str(path)

    upstream = Gateway("upstream", UPSTREAM, ["nginx", "-p", str(home), "-c", written("upstream.conf", UPSTREAM_CONFIG)])
    bearer = [f"Authorization: Bearer {token()}", "Origin: https://app.example"]
    gateways = [
        Gateway("nginx", 9201, ["nginx", "-p", str(home), "-c", written("nginx.conf", NGINX)]),
        Gateway("haproxy", 9202, ["haproxy", "-f", written("haproxy.cfg", HAPROXY)]),
        trailmark(given.trailmark, home, "bare", 9211, BARE),
        trailmark(given.trailmark, home, "all-features", 9212, FULL, bearer),
        trailmark(given.trailmark, home, "100-routes", 9213, BARE + routes(100)),
        trailmark(given.trailmark, home, "1000-routes", 9214, BARE + routes(1000)),
    ]
    if not given.only or "Express" in given.only:
        gateways.append(express(home))
    if given.only:
        gateways = [gateway for gateway in gateways if gateway.name in given.only]
    try:
        for each in [upstream, *gateways]:
            each.start(log)
        results = measure(gateways, given.seconds, given.rounds)
        table(gateways, results)
        if not given.only or "bare" in given.only:
            latency(upstream, next(each for each in gateways if each.name == "bare"), results)
    finally:
        for each in [*gateways, upstream]:
            each.stop()
        shutil.rmtree(home, ignore_errors=True)


def table(gateways, results):
    base = statistics.median(results["nginx"][0]) if "nginx" in results else None
    print("| gateway | CPU µs/request | min–max | to nginx | requests/s | resident MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for gateway in gateways:
        cpu, rate = results[gateway.name]
        middle = statistics.median(cpu)
        ratio = f"**{middle / base:.2f}**" if base else ""
        print(
            f"| {gateway.name} | {middle:.1f} | {min(cpu):.1f}–{max(cpu):.1f} | {ratio} | "
            f"{statistics.median(rate) / 1000:.1f} k | {gateway.resident_mb():.1f} |"
        )


def latency(upstream, bare, results):
    """What the gateway adds at half of its load: p50 and p99 of an open loop, direct and through it."""
    rate = str(int(statistics.median(results["bare"][1]) / 2))
    print(f"\n| open loop, {int(rate) / 1000:.1f} k requests/s | p50 ms | p99 ms |\n| --- | --- | --- |")
    for name, port in (("direct", upstream.port), ("through bare", bare.port)):
        url = f"http://127.0.0.1:{port}/users/1"
        command = ["h2load", "--h1", "-c32", "-t1", "-D5", f"--rps={max(1, int(rate) // 32)}", "--log-file=/dev/stdout", url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        taken = sorted(int(line.split("\t")[2]) for line in said.splitlines() if line.count("\t") == 2)
        p50, p99 = (taken[int(len(taken) * share)] / 1000 for share in (0.5, 0.99))
        print(f"| {name} | {p50:.2f} | {p99:.2f} |")


if __name__ == "__main__":
    main()
