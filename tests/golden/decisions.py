"""
Computes decisions.json: logits that are estimated from decisions (DBKD), by SciPy, as the paper and its published code
have them: orthant probabilities of normal differences, and 20 rounds of the iteration for the root. A few minutes.

    python3 tests/golden/decisions.py           compares with decisions.json beside it, changes nothing
    python3 tests/golden/decisions.py --write   writes decisions.json anew
"""
import json, pathlib, sys
import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

rounds, stop = 20, 1e-3


def share(bias):
    """P(all differences are positive), which have the means `bias`, variance 2 and covariance 1: one after another."""
    n = len(bias)
    lower = np.linalg.cholesky(np.eye(n) + np.ones((n, n)))

    def rest(known):
        row = len(known)
        if row == n:
            return 1.0
        least = -(bias[row] + lower[row, :row] @ known) / lower[row, row]
        if row == n - 1:
            return norm.sf(least)
        inner = lambda u: norm.pdf(u) * rest(np.append(known, u))
        # Beyond 9 the density is below 1e-18.
        return quad(inner, min(least, 9), 9, epsabs=1e-9, epsrel=1e-9)[0] if least > -9 else quad(
            inner, -9, 9, epsabs=1e-9, epsrel=1e-9
        )[0]

    return rest(np.array([]))


def shares(x):
    return [share(np.array([x[i] - x[j] for j in range(len(x)) if j != i])) for i in range(len(x))]


def solve(p):
    x = list(p)
    for _ in range(rounds):
        expected = shares(x)
        new = [a + b - c for a, b, c in zip(x, p, expected)]
        change = sum(abs(a - b) for a, b in zip(new, x))
        x = new
        if change <= stop:
            break
    return x


COUNTS = [
    [10, 0], [9, 1], [7, 3], [5, 5],
    [10, 0, 0], [8, 1, 1], [5, 3, 2], [4, 4, 2],
    [10, 0, 0, 0], [6, 2, 1, 1], [3, 3, 2, 2],
]
out = {
    "shares": [{"logits": z, "shares": [float(s) for s in shares(z)]} for z in ([1.5, -0.5], [0.3, -1, 2.2], [0, 0.1, 3, -2])],
    "estimates": [{"counts": c, "logits": [float(z) for z in solve([n / sum(c) for n in c])]} for c in COUNTS],
}

file = pathlib.Path(__file__).parent / "decisions.json"
if "--write" in sys.argv:
    file.write_text(json.dumps(out) + "\n")
    print(f"wrote {file.name}")
else:
    known = json.loads(file.read_text())
    flat = lambda value: (
        [float(value)] if isinstance(value, (int, float)) else
        [number for part in (value.values() if isinstance(value, dict) else value) for number in flat(part)]
    )
    worst = max(abs(a - b) for a, b in zip(flat(out), flat(known), strict=True))
    print(f"{len(out['estimates'])} estimates, largest difference {worst:.1e}")
    assert worst < 1e-6
