"""Runs dscc, several at a time, for the chip at hand."""

import concurrent.futures
import os
import subprocess
import time

SECONDS = 300


class CompileError(Exception):
    """dscc's exit code and its own words."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Compiler:
    def __init__(self, places, arch):
        self.dscc, self.arch = places.dscc, arch
        self.pool = concurrent.futures.ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2))
        self.seconds = 0.0
        self.models = 0

    def version(self):
        child = subprocess.run([self.dscc, "--version"], capture_output=True, text=True)
        return " / ".join(line.strip() for line in child.stdout.splitlines() if line.strip())

    def command(self, model, artifact, options=(), targets="cuda"):
        return [str(self.dscc), str(model), "-o", str(artifact), f"--target={targets}", f"--arch={self.arch}", *options]

    def compile(self, model, artifact, options=(), targets="cuda"):
        """Raises CompileError."""
        start = time.monotonic()
        try:
            child = subprocess.run(self.command(model, artifact, options, targets), capture_output=True, text=True,
                                   timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise CompileError(-1, f"dscc did not end within {SECONDS} s") from None
        self.seconds += time.monotonic() - start
        self.models += 1
        if child.returncode:
            raise CompileError(child.returncode, f"dscc ended with {child.returncode}: {child.stderr.strip()}")
        return artifact

    def enqueue(self, *arguments, **options):
        return self.pool.submit(self.compile, *arguments, **options)
