"""
Computes several_labels.json: losses and metrics of examples that are each of several classes or none, by PyTorch in
float64 and scikit-learn.

    python3 tests/golden/several_labels.py           compares with several_labels.json beside it, changes nothing
    python3 tests/golden/several_labels.py --write   writes several_labels.json anew
"""
import json, pathlib, sys
import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics


def gen(shape, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(int(torch.tensor(shape).prod())):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


SHAPE = (8, 3)
LABELS = (gen(SHAPE, 72) > 0.1).double()
# Which examples have a label.
KNOWN = torch.tensor([1, 1, 0, 1, 1, 0, 1, 1], dtype=torch.bool)
WEIGHTS = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)


def step(loss):
    """The value of a loss, and its gradient by the logits."""
    logits = (3 * gen(SHAPE, 70)).requires_grad_()
    value = loss(logits)
    value.backward()
    return {"value": value.item(), "gradient": logits.grad.flatten().tolist()}


def kd(temperature):
    def loss(z):
        p, q = torch.sigmoid(3 * gen(SHAPE, 71) / temperature), torch.sigmoid(z / temperature)
        both = torch.stack([q, 1 - q], -1).log()
        return temperature**2 * F.kl_div(both, torch.stack([p, 1 - p], -1), reduction="none").sum(-1).mean()

    return step(loss)


def measured(logits, labels, threshold):
    scores, truth = torch.sigmoid(logits).numpy(), labels.numpy().astype(int)
    decided = (scores >= threshold).astype(int)
    # A class that no example is of has no average precision, and one that is neither there nor decided for no score.
    there = truth.any(0)
    scored = list(np.flatnonzero(there | decided.any(0)))
    of = {"f1": metrics.f1_score, "precision": metrics.precision_score, "recall": metrics.recall_score}
    return {
        "mAP": float(metrics.average_precision_score(truth[:, there], scores[:, there], average="macro")),
        "accuracy": float(metrics.accuracy_score(truth, decided)),
        **{
            f"{name}{average.capitalize()}": float(score(truth, decided, labels=scored, average=average, zero_division=0))
            for name, score in of.items()
            for average in ("macro", "micro", "weighted")
        },
    }


# Rounded, so that scores are equal here and there.
TIED = torch.round(3 * gen((40, 3), 73))
TIED_LABELS = (gen((40, 3), 74) > 0.2).double()

out = {
    "binary_cross_entropy": step(lambda z: F.binary_cross_entropy_with_logits(z, LABELS)),
    "binary_cross_entropy_weighted": step(lambda z: F.binary_cross_entropy_with_logits(z, LABELS, pos_weight=WEIGHTS)),
    "binary_cross_entropy_known": step(lambda z: F.binary_cross_entropy_with_logits(z[KNOWN], LABELS[KNOWN])),
    "kd_1": kd(1.0),
    "kd_2.5": kd(2.5),
    "metrics": measured(TIED, TIED_LABELS, 0.5),
    "metrics_0.8": measured(TIED, TIED_LABELS, 0.8),
    "metrics_known": measured((3 * gen(SHAPE, 70))[KNOWN], LABELS[KNOWN], 0.5),
    "loss_known": F.binary_cross_entropy_with_logits((3 * gen(SHAPE, 70))[KNOWN], LABELS[KNOWN]).item(),
}

file = pathlib.Path(__file__).with_name("several_labels.json")
if "--write" in sys.argv:
    file.write_text(json.dumps(out, indent=2) + "\n")
else:
    known = json.loads(file.read_text())

    def flat(value):
        return [n for part in value.values() for n in flat(part)] if isinstance(value, dict) else list(np.ravel(value))

    assert known.keys() == out.keys()
    assert np.allclose(flat(known), flat(out), rtol=1e-12, atol=1e-15)
    print(f"several_labels.json agrees ({len(out)} entries, PyTorch {torch.__version__})")
