"""What the Python peers share: protocol.ts's rules of timing, and what they say of the process."""

import os
import statistics
import sys
import time

SAMPLE_SECONDS, MAX_STEPS = 0.3, 32
UNAVAILABLE = 69


def repeats():
    return next((int(a.split("=")[1]) for a in sys.argv if a.startswith("--repeats=")), 5)


def timed(start):
    """Times `start()`, an object with `step` and `sync`: the object, and what Result in protocol.ts says of its time."""
    values, steps_done, work = [], 0, None

    def run(steps):
        nonlocal steps_done, work
        began = time.perf_counter()
        if work is None:
            work = start()
        for _ in range(steps):
            work.step()
        value = work.sync()
        seconds = time.perf_counter() - began
        steps_done += steps
        values.append([steps_done - 1, value])
        return seconds / steps

    before = peak_bytes()
    first = run(1)
    memory = peak_bytes() - before
    run(1)
    per_sample = max(1, min(MAX_STEPS, round(SAMPLE_SECONDS / run(1))))
    run(per_sample)
    seconds = [run(per_sample) for _ in range(repeats())]
    result = {"size": work.size, "first": first, "seconds": seconds, "stepsPerSample": per_sample, "values": values}
    if work.flops:
        result["gflops"] = work.flops / statistics.median(seconds) / 1e9
    return work, result, memory


def peak_bytes():
    """The most memory that the process has had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    # macOS counts bytes, others KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def blas():
    """Which BLAS this process loaded: the reference one is ten times slower than an optimised one."""
    try:
        with open("/proc/self/maps") as maps:
            loaded = maps.read().lower()
    except OSError:
        return None
    for part, name in (("openblas", "OpenBLAS"), ("libmkl", "MKL"), ("libblas.so", "reference BLAS")):
        if part in loaded:
            return name
    return None
