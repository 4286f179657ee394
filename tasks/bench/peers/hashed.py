"""The numbers that the engines of the benchmark start from: those of uniform.ts."""

try:
    import torch
except ImportError:
    torch = None
try:
    import numpy as np
except ImportError:
    np = None


def hashed(seed, count, bound=1.0):
    """MurmurHash3's finaliser over a counter; int64 wraps, the low 32 bits stay right."""
    mask = 0xFFFFFFFF
    start = (seed * 0x9E3779B9) & mask
    h = (torch.arange(count, dtype=torch.int64) if torch else np.arange(count, dtype=np.uint64)) + start & mask
    h = (h ^ (h >> 16)) * 0x85EBCA6B & mask
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & mask
    h = h ^ (h >> 16)
    values = (h.double() if torch else h.astype(np.float64)) / 2**31 - 1
    # Rounded to float32 only once, after the bound: as in JavaScript.
    return (values * bound).float() if torch else (values * bound).astype(np.float32)
