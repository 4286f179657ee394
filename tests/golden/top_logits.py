"""
Computes top_logits.json: distillation from the k largest of a teacher's logits and the rest as one class, its gradient
by the student's logits, and what is lost by it, by PyTorch in float64. Probabilities are added up by a matrix of zeros
and ones, and the bound is taken from all of the teacher's probabilities, so neither goes the way of the program.

    python3 tests/golden/top_logits.py           compares with top_logits.json beside it, changes nothing
    python3 tests/golden/top_logits.py --write   writes top_logits.json anew
"""
import json, pathlib, sys
import torch

ROWS, CLASSES, K = 5, 11, 4


def gen(shape, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(int(torch.tensor(shape).prod())):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


teacher, student = 3 * gen((ROWS, CLASSES), 71), 3 * gen((ROWS, CLASSES), 72)
kept = [sorted(row.argsort(descending=True)[:K].tolist()) for row in teacher]


def kl(p, q):
    return (p * (p / q).log()).sum(-1)


def js(p, q):
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


# [rows, k + 1, classes]: the kept classes each, and all others together
grouping = torch.zeros(ROWS, K + 1, CLASSES, dtype=torch.float64)
for row, classes in enumerate(kept):
    grouping[row, K] = 1
    for place, c in enumerate(classes):
        grouping[row, place, c] = 1
        grouping[row, K, c] = 0


def entry(t):
    def loss(divergence, grouped):
        z = student.clone().requires_grad_()
        p, q = (teacher / t).softmax(-1), (z / t).softmax(-1)
        if grouped:
            p, q = (torch.einsum("rkc,rc->rk", grouping, x) for x in (p, q))
        value = t * t * divergence(p, q).mean()
        value.backward()
        return {"value": value.item(), "gradient": z.grad.flatten().tolist()}

    p = (teacher / t).softmax(-1)
    others = grouping[:, K].bool()
    rest = torch.stack([p[r][others[r]].sum() for r in range(ROWS)])
    least = torch.stack([p[r][kept[r]].min() for r in range(ROWS)])
    spread = max((student[r][others[r]].max() - student[r][others[r]].min()).item() for r in range(ROWS))
    # Of a student that has all of its probability there.
    weights = torch.stack([rest, torch.ones_like(rest)], -1)
    entropy = torch.distributions.Categorical(weights).entropy()
    return {
        "kd": loss(kl, True),
        "jensenShannon": loss(js, True),
        "whole": loss(kl, False),
        "wholeJensenShannon": loss(js, False),
        "mean": rest.mean().item(),
        "most": rest.max().item(),
        "constant": (t * t * (rest * ((CLASSES - K) * (least / rest).clamp(max=1)).log()).mean()).item(),
        "slope": (t * rest.mean()).item(),
        "jensenShannonBound": (t * t * (weights.sum(-1) / 2 * entropy).mean()).item(),
        "range": spread,
    }


decisions = teacher.argmax(-1)
out = {
    "classes": sum(kept, []),
    "hard": torch.nn.functional.cross_entropy(student, decisions).item(),
    "at": {str(t): entry(t) for t in (1, 4)},
}


def close(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    return abs(a - b) <= 1e-12 * max(1, abs(b))


path = pathlib.Path(__file__).with_name("top_logits.json")
if "--write" in sys.argv:
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
elif not close(out, json.loads(path.read_text())):
    sys.exit("top_logits.json differs")
else:
    print(f"top_logits.json agrees (PyTorch {torch.__version__})")
