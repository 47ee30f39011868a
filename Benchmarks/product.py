#!/usr/bin/env python3
"""Measures the product as a person meets it: imports, start, memory, search over HTTP, write-to-searchable.

    Benchmarks/product.py BINARY [--rows 100000] [--keep DIR] [--database-url URL]

Works in a temporary directory with made-up rows, prints one JSON object, contacts only this machine. Quiet machine,
please: figures go to docs/performance.md with their conditions. About ten minutes, nearly all of it embedding.
"""
import argparse
import csv
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

NOUNS = "pump valve motor sensor filter bearing cable panel switch hose gasket relay boiler fan meter tank".split()
PLACES = "Lisbon Oslo Kyoto Lima Dakar Quito Perth Turin Porto Bergen Leeds Malmo".split()
FAULTS = "leaks stalls overheats rattles corrodes drifts clogs cracks slips hums trips freezes".split()
CAUSES = "after rain;at full load;in winter;since the last service;when started cold;for no clear reason".split(";")


def row(number, generator):
    noun, fault = generator.choice(NOUNS), generator.choice(FAULTS)
    return {
        "Name": f"Ticket {number}",
        "Asset": f"{noun} {generator.randrange(9999)}",
        "Place": generator.choice(PLACES),
        "Report": f"The {noun} {fault} {generator.choice(CAUSES)}.",
        "Cost": generator.randrange(10, 9000),
        "Opened": f"20{generator.randrange(10, 26)}-{generator.randrange(1, 13):02}-{generator.randrange(1, 29):02}",
    }


def wide(number, generator):
    cells = row(number, generator)
    for column in range(14):
        cells[f"Value {column}"] = generator.randrange(10**6)
    return cells


def write_rows(path, count, make, seed=1):
    generator = random.Random(seed)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(make(0, generator)))
        writer.writeheader()
        for number in range(count):
            writer.writerow(make(number, generator))
    return path


def measured(command):
    """Runs COMMAND; (seconds, peak RSS in MB, its last line of JSON or None)."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Pipes are small: what the command prints here is, too.
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}: {errors}")
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return time.perf_counter() - start, usage.ru_maxrss / 1024, json.loads(lines[-1]) if lines else None


class Server:
    """A `serve` process on a free port."""

    def __init__(self, binary, options):
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [binary, "serve", "--json", "--bind", "127.0.0.1:0", "--admin-bind", "off", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.ready = json.loads(self.process.stdout.readline())
        self.start_seconds = time.perf_counter() - start
        self.address = self.ready["url"].split("//")[1]

    def resident(self):
        """MB of memory: all of it, and what is not file pages."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return tuple(int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "RssAnon"))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def searches(address, key, count):
    generator = random.Random(7)
    connection = http.client.HTTPConnection(address)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    times = []
    for number in range(count + 20):
        query = f"{generator.choice(NOUNS)} that {generator.choice(FAULTS)} {generator.choice(CAUSES)} {number}"
        start = time.perf_counter()
        connection.request("POST", "/api/v1/search", json.dumps({"query": query, "limit": 10}), headers)
        response = connection.getresponse()
        body = json.loads(response.read())
        # The first ones warm up.
        if number >= 20:
            times.append((time.perf_counter() - start) * 1000)
        if response.status != 200 or not body["hits"]:
            sys.exit(f"{query}: {response.status} {body}")
    times.sort()
    return {"p50_ms": round(times[len(times) // 2], 2), "p99_ms": round(times[len(times) * 99 // 100], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--keep", help="work here and leave everything, so that a second run goes on")
    parser.add_argument("--database-url")
    arguments = parser.parse_args()
    binary, rows = arguments.binary, arguments.rows
    folder = arguments.keep or tempfile.mkdtemp(prefix="pyairtable-bench-")
    os.makedirs(folder, exist_ok=True)
    options = ["--data", f"{folder}/data"]
    if arguments.database_url:
        options += ["--database-url", arguments.database_url]
    report = {"cpus": os.cpu_count(), "binary_mb": os.path.getsize(binary) // 2**20}
    try:
        idle = Server(binary, ["--data", f"{folder}/empty"])
        report["empty_start_s"], report["empty_rss_mb"] = round(idle.start_seconds, 3), idle.resident()
        idle.stop()

        if not os.path.exists(f"{folder}/Wide.csv"):
            for name, count, make in (("Quarter", rows // 4, wide), ("Wide", rows, wide), ("Tickets", rows, row)):
                path = write_rows(f"{folder}/{name}.csv", count, make)
                data = ["--data", f"{folder}/import-{name}"] if name != "Tickets" else options
                seconds, peak, _ = measured([binary, "import", "--json", *data, path])
                report[f"import_{name.lower()}"] = {
                    "rows": count, "s": round(seconds, 2), "rows_per_s": round(count / seconds), "peak_mb": round(peak)
                }
                if name != "Tickets":
                    shutil.rmtree(f"{folder}/import-{name}")
            seconds, peak, _ = measured([binary, "index", "--json", *options])
            report["index"] = {"s": round(seconds, 1), "records_per_s": round(rows / seconds), "peak_mb": round(peak)}

        first = Server(binary, options)
        key = first.ready.get("key")
        first.stop()
        if not key:
            key = measured([binary, "key", "create", "--json", *options])[2]["key"]
        starts = []
        for _ in range(5):
            server = Server(binary, options)
            starts.append(server.start_seconds)
            if len(starts) < 5:
                server.stop()
        report["start_s"] = round(statistics.median(starts), 3)
        report["idle_rss_mb"] = server.resident()
        report["search_http"] = searches(server.address, key, 500)
        report["search_rss_mb"] = server.resident()
        freshness = [binary, "bench", "freshness", "--base", "Tickets", *options]
        report["fresh_idle"] = measured([*freshness, "--writes", "300"])[2]

        more = write_rows(f"{folder}/More{int(time.time())}.csv", rows, row, seed=2)
        imports = threading.Thread(target=measured, args=([binary, "import", "--json", *options, more],))
        imports.start()
        # Also while the imported rows are embedded, which takes much longer than this.
        report["fresh_importing"] = measured([*freshness, "--writes", "300"])[2]
        imports.join()
        report["search_http_indexing"] = searches(server.address, key, 300)
        report["busy_rss_mb"] = server.resident()
        server.stop()
        print(json.dumps(report, indent=1))
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
