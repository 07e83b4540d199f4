# SPDX-License-Identifier: BSD-3-Clause
"""The table of application tests: unmodified Debian programs, and how their result is judged."""
import dataclasses
import zlib

SAMPLE = "/sample"  # the guest's name of the file that compressors work on


@dataclasses.dataclass
class Case:
    name: str
    command: list
    # Judged by: equal to the host's output; and/or each pattern found; and/or `judge(case run) -> problem or None`.
    same_as_host: bool = False
    patterns: tuple = ()
    judge: object = None
    sample: bool = False           # needs SAMPLE
    output: str = ""               # a guest file that is copied out
    stdin: bytes = b""
    cpus: tuple = (1, 2, 4)        # at which numbers of CPUs
    quick: tuple = (4,)            # of these, in `make test`
    limit: int = 90                # seconds


PYTHON_THREADS = """
import hashlib, queue, threading, time, zlib
todo, done = queue.Queue(), queue.Queue()
def work():
    while (n := todo.get()) is not None:
        done.put((n, zlib.crc32(hashlib.sha256(str(n).encode() * 100).digest())))
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
for n in range(200): todo.put(n)
for t in threads: todo.put(None)
[t.join(timeout=60) for t in threads]
assert not any(t.is_alive() for t in threads)
gate = threading.Barrier(8); order = []; lock = threading.Lock()
def meet(i):
    for _ in range(5):
        gate.wait(timeout=60)
        with lock: order.append(i)
threads = [threading.Thread(target=meet, args=(i,)) for i in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
event = threading.Event(); start = time.monotonic()
assert not event.wait(0.05) and time.monotonic() - start >= 0.05
print(sorted(done.queue)[:3], sum(v for _, v in done.queue), len(order), sorted(set(order)))
"""

PYTHON_FILES = """
import os, tempfile, mmap, json, select, time
d = tempfile.mkdtemp(); p = os.path.join(d, 'file')
with open(p, 'w') as f: json.dump(list(range(1000)), f)
with open(p, 'r+b') as f, mmap.mmap(f.fileno(), 0) as m:
    m[0:1] = b' '; m.flush(); print(len(m))
print(open(p).read()[:12], sorted(os.listdir(d)), os.stat(p).st_size)
os.rename(p, p + '2'); os.unlink(p + '2'); os.rmdir(d)
r, w = os.pipe(); e = select.epoll(); e.register(r, select.EPOLLIN)
print(e.poll(0.01)); os.write(w, b'x'); print(e.poll(1) == [(r, select.EPOLLIN)], os.read(r, 1))
"""

SQL = """
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000)
INSERT INTO t SELECT i, 'row ' || (i * 7919 % 1000) FROM n;
CREATE INDEX i ON t(b);
BEGIN; UPDATE t SET b = b || '!' WHERE a % 3 = 0; COMMIT;
BEGIN; DELETE FROM t; ROLLBACK;
SELECT count(*), sum(length(b)), min(b), max(b) FROM t;
SELECT b, count(*) FROM t GROUP BY b ORDER BY 2 DESC, 1 LIMIT 5;
PRAGMA integrity_check;
"""


def _every_cpu_has_deadlines(run):
    """cyclictest -t -a: one line for each CPU, each with all its cycles or with many."""
    import re
    counts = [int(n) for n in re.findall(rb"C:\s*(\d+)", run.out)]
    if len(counts) != run.cpus:
        return f"{len(counts)} threads reported, {run.cpus} CPUs"
    return None if min(counts) >= 5 else f"cycles on the CPUs: {counts}"


def _gzip_restores(run):
    unpacker = zlib.decompressobj(31)
    restored = unpacker.decompress(run.out)
    return None if unpacker.eof and restored == run.sample_bytes else "the decompressed output is not the input"


def _zstd_restores(run):
    return run.restored_by(["zstd", "-dc"])


def _xz_restores(run):
    return run.restored_by(["xz", "-dc"])


CASES = [
    Case("zstd", ["zstd", "-T4", "-3", "-B512K", "-q", SAMPLE, "-o", "/sample.out"], judge=_zstd_restores, sample=True,
         output="/sample.out", quick=(1, 4)),
    Case("xz", ["xz", "-T4", "-0", "--block-size=512KiB", "-kc", SAMPLE], judge=_xz_restores, sample=True),
    Case("pigz", ["pigz", "-p", "4", "-c", SAMPLE], judge=_gzip_restores, sample=True),
    Case("zstd_test", ["zstd", "-b1", "-e1", "-i1", "-T2", SAMPLE], sample=True, patterns=(rb"1#",), quick=()),
    Case("sysbench_cpu", ["sysbench", "cpu", "--threads=4", "--time=1", "--cpu-max-prime=2000", "run"],
         patterns=(rb"events per second:\s+[1-9]", rb"Threads fairness")),
    Case("sysbench_threads", ["sysbench", "threads", "--threads=8", "--time=0", "--events=60", "--thread-yields=50", "run"],
         patterns=(rb"total number of events:\s+60\n",)),
    Case("sysbench_mutex", ["sysbench", "mutex", "--threads=4", "--mutex-locks=300", "--mutex-loops=100", "run"],
         patterns=(rb"total number of events:\s+4\n",)),
    Case("sysbench_memory", ["sysbench", "memory", "--threads=4", "--time=0", "--memory-total-size=8M", "run"],
         patterns=(rb"Total operations: 8192 ",), quick=(2,)),
    Case("hackbench", ["hackbench", "-T", "-g", "1", "-f", "5", "-l", "40"], patterns=(rb"Time: [\d.]+",)),
    Case("hackbench_pipes", ["hackbench", "-T", "-p", "-g", "1", "-f", "5", "-l", "40"], patterns=(rb"Time: [\d.]+",),
         quick=(2,)),
    Case("cyclictest", ["cyclictest", "-t", "-a", "-q", "-p", "80", "-i", "5000", "-l", "40"], judge=_every_cpu_has_deadlines),
    Case("python_threads", ["python3.11", "-c", PYTHON_THREADS], same_as_host=True),
    Case("python_files", ["python3.11", "-c", PYTHON_FILES], same_as_host=True, quick=(1,)),
    Case("sqlite", ["sqlite3", ":memory:", SQL], same_as_host=True, quick=(2,)),
    Case("sqlite_file", ["sqlite3", "/base.db"], stdin=SQL.encode(), patterns=(rb"2000\|", rb"\nok\n"), quick=(1,)),
]
