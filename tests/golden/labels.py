"""
Computes labels.json: losses over a batch in which examples have no label, with class weights and without, by PyTorch in
float64, and metrics over the examples that have one, by scikit-learn.

    python3 tests/golden/labels.py           compares with labels.json beside it, changes nothing
    python3 tests/golden/labels.py --write   writes labels.json anew
"""
import json, pathlib, sys
import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight


def gen(shape, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(int(torch.tensor(shape).prod())):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


LABELS = torch.tensor([0, -1, 2, 1, -1, 0, 2, 1])
WEIGHTS = torch.tensor([0.5, 2.0, 3.5], dtype=torch.float64)


def step(loss, shape, seed):
    """The value of a loss, and its gradient by the logits."""
    logits = (2 * gen(shape, seed)).requires_grad_()
    value = loss(logits)
    value.backward()
    return {"value": value.item(), "gradient": logits.grad.flatten().tolist()}


def cross_entropy(**options):
    return step(lambda z: F.cross_entropy(z, LABELS, ignore_index=-1, **options), (8, 3), 60)


def mse(z):
    known = LABELS >= 0
    return F.mse_loss(z[known, 0], 1.5 * gen((8,), 61)[known])


def focal(gamma, weights):
    def loss(z):
        known = LABELS >= 0
        surprise = F.cross_entropy(z[known], LABELS[known], reduction="none")
        w = weights[LABELS[known]]
        return (w * (1 - torch.exp(-surprise)) ** gamma * surprise).sum() / w.sum()

    return step(loss, (8, 3), 60)


def measured():
    decided = (2 * gen((8, 3), 60)).argmax(1)[LABELS >= 0]
    known = LABELS[LABELS >= 0]
    return {
        "accuracy": metrics.accuracy_score(known, decided),
        "f1Macro": metrics.f1_score(known, decided, average="macro"),
        "confusion": metrics.confusion_matrix(known, decided).tolist(),
    }


golden = {
    "cross_entropy": cross_entropy(),
    "cross_entropy_smoothed": cross_entropy(label_smoothing=0.2),
    "cross_entropy_weighted": cross_entropy(weight=WEIGHTS),
    "cross_entropy_weighted_smoothed": cross_entropy(weight=WEIGHTS, label_smoothing=0.2),
    "focal": focal(2, torch.ones(3, dtype=torch.float64)),
    "focal_weighted": focal(1.5, WEIGHTS),
    "balanced": compute_class_weight("balanced", classes=np.arange(3), y=LABELS[LABELS >= 0].numpy()[:-1]).tolist(),
    "mse": step(mse, (8, 1), 62),
    "metrics": measured(),
}

if __name__ == "__main__":
    file = pathlib.Path(__file__).with_suffix(".json")
    if "--write" in sys.argv:
        file.write_text(json.dumps(golden, indent=1) + "\n")
    assert json.loads(file.read_text()) == golden, "labels.json differs"
    print(f"labels.json agrees ({len(golden)} entries, PyTorch {torch.__version__})")
