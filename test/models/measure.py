"""Runs a command and tells what it cost: seconds, those of all its threads on processors, the peak of its memory.

    python measure.py SECONDS COMMAND...     prints {"exit", "seconds", "cpu_seconds", "peak_bytes", "text"}

The peak of a child that the kernel reports is never below its parent's size at
the time of the start, so a process of this small program's own does the start.
"""

import json
import resource
import subprocess
import sys
import time


def measure(command, timeout=600):
    """The report on a command, as a dict. `exit` is negative after a signal, None after a time-out."""
    small = [sys.executable, "-S", "-E", __file__, str(timeout), *map(str, command)]
    return json.loads(subprocess.run(small, capture_output=True, text=True, check=True).stdout)


def main():
    timeout, command = float(sys.argv[1]), sys.argv[2:]
    start = time.monotonic()
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               timeout=timeout)
        code, text = child.returncode, child.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        code, text = None, ""
    seconds = time.monotonic() - start
    # The child's own children count as well: ptxas is one.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"exit": code, "seconds": round(seconds, 3),
                      "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
                      "peak_bytes": usage.ru_maxrss * 1024, "text": text[-1000000:]}))


if __name__ == "__main__":
    main()
