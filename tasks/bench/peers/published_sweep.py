"""NumPy's LAPACK on the decompositions: `python3 published_sweep.py CASE --method=sweep|svd [--repeats=N]`.

`sweep` is the published algorithm with its 4 (n - 1) SVDs for a chain of n = 5 cores: the sweep, two more for the
partial products from either side, and one SVD at each bond for the balanced gauge. `svd` is the one SVD that
`[a, 1, 1, 1, b]` comes down to. Both in float32, as the weights are; ends with code 69 where NumPy is missing.
"""

import json
import sys

from protocol import UNAVAILABLE, blas, timed

try:
    import numpy as np
except ImportError:
    np = None

CORES = 5
CASES = {"decompose": ((32, 24), (32, 24)), "decompose-3072": ((64, 48), (32, 24))}


def hashed(seed, count, part=2**16):
    """workload.ts's `uniform` with a bound of 1, part by part: no memory is used up that a decomposition would show."""
    mask = 0xFFFFFFFF
    result = np.empty(count, dtype=np.float32)
    for begin in range(0, count, part):
        end = min(begin + part, count)
        h = np.arange(begin, end, dtype=np.uint64) + (seed * 0x9E3779B9 & mask) & mask
        h = (h ^ (h >> 16)) * 0x85EBCA6B & mask
        h = (h ^ (h >> 13)) * 0xC2B2AE35 & mask
        result[begin:end] = (h ^ (h >> 16)).astype(np.float64) / 2**31 - 1
    return result


def svd(matrix):
    return np.linalg.svd(matrix, full_matrices=False)


class OneSvd:
    """The singular values shared between the two outer cores; the others are identities."""

    flops = None

    def __init__(self, matrix, rows, cols):
        self.matrix, self.rows, self.cols, self.size = matrix, rows, cols, len(matrix)

    def interleaved(self):
        (i1, i2), (j1, j2) = self.rows, self.cols
        return self.matrix.reshape(i1, i2, j1, j2).transpose(0, 2, 1, 3).reshape(i1 * j1, i2 * j2)

    def step(self):
        u, self.s, vt = svd(self.interleaved())
        root = self.s**0.5
        middle = np.eye(len(root), dtype=root.dtype)
        self.cores = [u * root, *[middle] * (CORES - 2), root[:, None] * vt]

    def sync(self):
        return float(self.s[0])

    def error(self):
        product = self.cores[0]
        for core in self.cores[1:]:
            product = product @ core
        expected = self.interleaved()
        return float(((product - expected) ** 2).sum() ** 0.5 / (expected**2).sum() ** 0.5)


class PublishedSweep(OneSvd):
    """Cores as matrices: the legs between the first and the last one have extent 1."""

    def step(self):
        rest, cores = self.interleaved(), []
        for _ in range(CORES - 1):
            u, s, vt = svd(rest)
            cores.append(u)
            rest = s[:, None] * vt
        cores.append(rest)

        left, right = [], []
        product = cores[0]
        for core in cores[1:]:
            _, s, vt = svd(product)
            left.append(s[:, None] * vt)
            product = left[-1] @ core
        product = cores[-1]
        for core in reversed(cores[:-1]):
            u, s, _ = svd(product)
            right.insert(0, u * s)
            product = core @ right[0]

        for bond, (l, r) in enumerate(zip(left, right)):
            u, self.s, vt = svd(l @ r)
            root = self.s**-0.5
            cores[bond] = cores[bond] @ (r @ vt.T * root)
            cores[bond + 1] = root[:, None] * (u.T @ l) @ cores[bond + 1]
        self.cores = cores


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    methods = {"--method=svd": OneSvd, "--method=sweep": PublishedSweep}
    method = next((methods[a] for a in sys.argv if a in methods), None)
    if name not in CASES or method is None:
        sys.exit(f'Cannot run "{" ".join(sys.argv[1:])}": it takes {", ".join(CASES)} and {", ".join(methods)}')
    if np is None:
        print("NumPy is not installed in this Python", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    rows, cols = CASES[name]
    shape = rows[0] * rows[1], cols[0] * cols[1]
    matrix = hashed(3, shape[0] * shape[1]).reshape(shape)
    work, result, memory = timed(lambda: method(matrix, rows, cols))
    result.update(case=name, error=work.error(), version=np.__version__)
    result["engine"] = "published sweep" if method is PublishedSweep else "NumPy SVD"
    said = [blas(), "float32", memory and f"peak memory {round(memory / 1e6)} MB"]
    result["note"] = "; ".join(filter(None, said))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
