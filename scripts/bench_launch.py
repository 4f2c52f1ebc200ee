"""Runs a shell line: `bench_launch.py FD LINE`; writes seconds, peak KiB and exit code to FD.

A process is charged with the memory of the one that forked it until it runs its own program. So
the benchmark, which is large, starts this, which is small and imports next to nothing.
"""

import os
import sys
import time

begin = time.perf_counter()
pid = os.posix_spawn("/bin/sh", ["sh", "-c", sys.argv[2]], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - begin
text = f"{seconds} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}"
os.write(int(sys.argv[1]), text.encode())
