"""`python -I -S timed_command.py FD PROGRAM [ARGUMENT…]`: run a program, and write its seconds, the MB of its peak
memory and its exit code to a file descriptor, as JSON.

It is small, because `ru_maxrss` of a program counts the memory of the process that started it, see getrusage(2).
"""

import json
import os
import sys
import time


def main(report: int, command: list[str]) -> None:
    """Run it and report."""
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    os.write(report, json.dumps([seconds, usage.ru_maxrss / 1024, code]).encode())


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[1]), False)
    main(int(sys.argv[1]), sys.argv[2:])
