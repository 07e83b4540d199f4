# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's primitives beside their best peers on this host's processors (bench/native), and how far the aims are met."""
import json
import os
import subprocess
import tempfile

from report import LOWER

BINARY = os.path.join("bench", "native", "native")

# What the project aims at: (aim, contest, ours, threads, spaced, at most, fairness at least).
# `at most` is ours / best peer, in time for an operation.
AIMS = [
    ("uncontended spin lock+unlock", "spin", "SpinLock", 1, False, 1.0, None),
    ("queued spin lock, 2 threads tight", "queued", "QueuedSpinLock", 2, False, 0.6, 0.9),
    ("mutex, 1 thread", "mutex", "Mutex", 1, False, 1.0, None),
    ("mutex, 2 threads tight", "mutex", "Mutex", 2, False, 1.0, None),
    ("mutex, 2 threads spaced", "mutex", "Mutex", 2, True, 1.0, None),
    ("rwlock read side, reader-scalable, 2 threads", "read scalable", "BigReaderLock", 2, False, 1.1, None),
    ("rwlock read side, phase-fair, 2 threads", "read phase-fair", "SpinRwLock", 2, False, 1.0, None),
    ("RCU read side", "rcu read", "rcu::ReadGuard", 1, False, 1.0, None),
    ("RCU synchronize, one running reader", "rcu synchronize", "rcu::synchronize", 2, False, 1.0, None),
    ("list lookup, 128 keys, 2 threads", "list lookup", "OrderedSet", 2, False, 1.0, None),
    ("list 80/10/10, 128 keys, 2 threads", "list 80/10/10", "OrderedSet", 2, False, 1.0, None),
    ("kernel context switch", "switch", "sched::yield", 1, False, 5.0, None),
    ("wake-up of a polling CPU", "wake-up", "Thread::unpark", 2, False, 3.0, None),
]


def measure(build, rounds):
    """Rows as bench/native/main.cpp writes them."""
    binary = os.path.join(build, BINARY)
    if not os.path.exists(binary):
        return None
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        subprocess.run([binary, "--rounds", str(rounds), "--output", output.name], stdin=subprocess.DEVNULL, check=True, timeout=900)
        return json.load(output)


def setting(row):
    return row["threads"], row["spaced"]


def best_peer(rows, contest, threads, spaced):
    peers = [row for row in rows if row["contest"] == contest and row["side"] == "peer" and setting(row) == (threads, spaced)]
    return min(peers, key=lambda row: row["ns"]) if peers else None


def verdict(ours, peer, limit, fairness):
    """`even`: over the limit by less than the rounds of this run differ, so that another run may meet it."""
    if fairness is not None and ours["fairness"] < fairness:
        return "MISSED"
    if ours["ns"] <= limit * peer["ns"]:
        return "met"
    return "even" if ours["ns_quartiles"][0] <= limit * peer["ns_quartiles"][1] else "MISSED"


def judge(rows):
    """One dictionary for each aim."""
    judged = []
    for aim, contest, name, threads, spaced, limit, fairness in AIMS:
        found = [row for row in rows if row["contest"] == contest and row["name"] == name and setting(row) == (threads, spaced)]
        peer = best_peer(rows, contest, threads, spaced)
        if not found or not peer:
            judged.append({"aim": aim, "at_most": limit, "verdict": "MISSED", "why": f"{name} was not measured"})
            continue
        ours = found[0]
        judged.append({"aim": aim, "ours": name, "ns": ours["ns"], "peer": peer["name"], "peer_ns": peer["ns"],
                       "ratio": ours["ns"] / peer["ns"], "at_most": limit, "fairness": ours["fairness"],
                       "fairness_at_least": fairness, "verdict": verdict(ours, peer, limit, fairness)})
    return judged


def table(judged):
    lines = [f"{'aim':46} {'ours ns':>9} {'best peer':24} {'its ns':>9} {'ours/peer':>9} {'at most':>7} {'fair':>5}"]
    for j in judged:
        if "why" in j:
            lines.append(f"{j['aim']:46} MISSED: {j['why']}")
            continue
        lines.append(f"{j['aim']:46} {j['ns']:9.2f} {j['peer']:24} {j['peer_ns']:9.2f} {j['ratio']:9.2f} {j['at_most']:7.1f} "
                     f"{j['fairness']:5.2f} {j['verdict']}")
    return "\n".join(lines) + "\n"


def run(bench):
    """Every implementation of ours beside the best peer of the same contest and setting."""
    bench.say("native primitives and their peers")
    rows = measure(bench.build, bench.times(7, 15))
    if rows is None:
        bench.results.failed("native: bench/native/native is not built here (it needs an x86_64 host and platform/linuxu)")
        return
    for row in rows:
        if row["side"] != "ours":
            continue
        threads, spaced = setting(row)
        peer = best_peer(rows, row["contest"], threads, spaced)
        bench.results.add(f"native {row['contest']}: {row['name']}, {'spaced' if spaced else 'tight'}", "ns", row["ns"],
                          peer and peer["name"], peer and peer["ns"], row["rounds"], threads, LOWER, platform="native")
        bench.results.rows[-1].update({"fairness": round(row["fairness"], 3), "peer_fairness": peer and round(peer["fairness"], 3)})
    judged = judge(rows)
    path = os.path.join(bench.build, "bench", "native.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"aims": judged, "rows": rows}, file, indent=1)
        file.write("\n")
    print(table(judged))
