"""A process that runs tasks on the device, and can be lost: a kernel that faults takes its context with it, others hang.

The parent writes a task as a line of JSON, the worker answers with lines of JSON, the last of which is {"done": true}.
"""

import importlib
import json
import os
import pathlib
import select
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {"cases": "trial", "smoke": "smoke", "model": "models", "fault": "faults", "replay": "replay", "bench": "bench"}
LINES_OF_ERRORS = 12


class Lost(Exception):
    """The worker ended or hung in the middle of a task; the text has what it said last."""


class Worker:
    """Started when there is something to do, and again when it was lost."""

    def __init__(self, settings, places, folder):
        self.settings, self.places, self.log = settings, places, folder / "worker.log"
        self.child = None
        self.started = 0

    def start(self):
        command = [sys.executable, "-B", str(HERE / "worker.py"), json.dumps(self.settings), str(self.places.prefix)]
        with open(self.log, "wb") as errors:
            self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.started += 1
        self.rest = b""

    def stop(self):
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child.stdin.close()
            self.child.stdout.close()
        self.child = None

    def said(self):
        """The last lines on its stderr."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-LINES_OF_ERRORS:])

    def lose(self, why):
        said = self.said()
        self.stop()
        raise Lost(f"{why}{': ' if said else ''}{said}")

    def next_line(self, until):
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                self.lose("no answer in time")
            read = os.read(self.child.stdout.fileno(), 1 << 16)
            if not read:
                code = self.child.wait()
                self.lose(f"the process ended by signal {-code}" if code < 0 else f"the process ended with {code}")
            self.rest += read
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def run(self, kind, task, seconds):
        """Yields what the worker emits. Raises Lost, behind which a new worker is started."""
        if not self.child:
            self.start()
        try:
            self.child.stdin.write(json.dumps({"kind": kind, **task}).encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            self.lose("the process is gone")
        while True:
            line = self.next_line(time.monotonic() + seconds)
            if line.get("done"):
                return
            yield line


def serve(settings, prefix):
    sys.path.insert(0, str(HERE))
    import places
    places.Places(prefix)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whoever prints does not disturb the answers

    def emit(line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    for line in sys.stdin:
        task = json.loads(line)
        importlib.import_module(KINDS[task["kind"]]).run(task, emit, settings)
        emit({"done": True})


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]), sys.argv[2])
