"""Commands of qnas in processes of their own, forked from one that has imported what they need.

Imports take seconds and write nothing, so that nothing is learnt from killing them. What a search starts itself, starts
as ever.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Launcher:
    """Starts one command after the other.

    Args:
        errors: the file that takes what a command complains of.
    """

    def __init__(self, errors):
        self.errors = errors
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.experiment.launcher", str(errors)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def start(self, *arguments, folder="."):
        """Starts `qnas` in a session of its own, as from a terminal; returns its process id."""
        self._process.stdin.write(json.dumps([str(folder), *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self):
        """The exit code of the command that was started last."""
        return int(self._process.stdout.readline())

    def close(self):
        self._process.communicate()


def _become(folder, *arguments):
    from qnas.cli import main

    os.setsid()
    os.chdir(folder)
    with open(os.devnull, "r+b") as nothing, open(sys.argv[1], "wb") as errors:  # noqa: PTH123
        for ours, theirs in ((nothing, 0), (nothing, 1), (errors, 2)):
            os.dup2(ours.fileno(), theirs)
    sys.exit(main(arguments))


def _serve():
    import distributed  # noqa: F401
    import psycopg  # noqa: F401

    import qnas.launch  # noqa: F401

    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(*json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
