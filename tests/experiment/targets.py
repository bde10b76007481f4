"""What a child process may be asked to call: quick functions that end in every way."""

import os
import time
from pathlib import Path

_kept = []


def echo(argument):
    return argument


def pid(_):
    return os.getpid()


def surroundings(_):
    print("noise " * 20_000)
    return os.environ["OMP_NUM_THREADS"], os.getsid(0) == os.getpid(), os.read(0, 1)


def hang(_):
    time.sleep(600)


def hang_with_a_process(file):
    """Writes the process id of a process of its own."""
    import subprocess

    Path(file).write_text(str(subprocess.Popen(["sleep", "600"]).pid))
    time.sleep(600)


def close_all(_):
    os.closerange(3, 100)
    time.sleep(600)


def hog(mib):
    held = b"x" * (mib * 2**20)
    time.sleep(600)
    return len(held)


def keep(mib):
    """Leaves something behind in its process."""
    _kept.append(b"x" * (mib * 2**20))
    time.sleep(0.2)
    return os.getpid()


def leave(code):
    os._exit(code)


def die(number):
    os.kill(os.getpid(), number)
    time.sleep(600)


def die_once(file):
    if not Path(file).exists():
        Path(file).touch()
        os._exit(3)
    return os.getpid()


def unpicklable(_):
    return lambda: 0
