"""Progress is for people: it appears on a terminal, is wiped off at the end, and never reaches a pipe."""

import os
import pty
import subprocess
import sys

command = ["dscc", sys.argv[1], "-o", sys.argv[2]]

master, slave = pty.openpty()
subprocess.run(command, stderr=slave, check=True)
os.close(slave)
shown = b""
while True:
    try:
        part = os.read(master, 4096)
    except OSError:  # the other side is closed
        break
    if not part:
        break
    shown += part
print("terminal:", repr(shown.decode()))
print("pipe:", repr(subprocess.run(command, stderr=subprocess.PIPE, check=True).stderr.decode()))
