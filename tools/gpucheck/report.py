"""What is told: on the terminal as it happens, and at the end as one JSON document that can go with a bug."""

import json
import platform
import sys
import time


class Report:
    def __init__(self, facts, quiet=False):
        self.start = time.monotonic()
        self.quiet = quiet
        self.data = {"format": 1, **facts, "host": {"cpus": _cpus(), "system": platform.platform(),
                                                    "python": platform.python_version()},
                     "sections": [], "failures": [], "left_out": [], "bench": []}

    def seconds(self):
        return time.monotonic() - self.start

    def say(self, text):
        print(text, flush=True)

    def section(self, name, passed, failed, seconds, **facts):
        """A line: what was checked, how much of it, how it went."""
        self.data["sections"].append({"name": name, "passed": passed, "failed": failed, "seconds": round(seconds, 2), **facts})
        more = "".join(f", {key.replace('_', ' ')} {value:.3g}" if isinstance(value, float) else
                       f", {key.replace('_', ' ')} {value}" for key, value in facts.items() if not isinstance(value, (dict, list)))
        self.say(f"{'ok  ' if not failed else 'FAIL'} {name:<28} {passed} passed, {failed} failed, {seconds:.1f} s{more}")

    def fail(self, name, text, reproduce=(), **facts):
        """`reproduce`: commands of a shell."""
        self.data["failures"].append({"name": name, "text": text, "reproduce": list(reproduce), **facts})
        self.say(f"     {name}: {text}")
        for command in reproduce:
            self.say(f"       $ {command}")

    def leave_out(self, name, why):
        """Said, so that nobody takes it for checked; no failure."""
        self.data["left_out"].append({"name": name, "why": why})
        self.say(f"     left out: {name}: {why}")

    def failed(self):
        return len(self.data["failures"])

    def finish(self, path):
        passed = sum(section["passed"] for section in self.data["sections"])
        self.data["minutes"] = round(self.seconds() / 60, 2)
        self.data["passed"], self.data["failed"] = passed, self.failed()
        self.say(f"gpu-check: {passed} passed, {self.failed()} failed, {len(self.data['left_out'])} left out, "
                 f"{self.seconds() / 60:.1f} minutes")
        if path:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(self.data, file, indent=1)
                file.write("\n")
            self.say(f"gpu-check: the report is in {path}")


def _cpus():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return f"{len(names)} x {names[0]}" if names else platform.machine()
    except OSError:
        return platform.machine()


def fail_usage(text, code=2):
    print(f"gpu-check: {text}", file=sys.stderr)
    sys.exit(code)
