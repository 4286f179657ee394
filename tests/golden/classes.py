"""
Computes classes.json: scores of each class, their means and the area under the ROC curve, by scikit-learn.

    python3 tests/golden/classes.py           compares with classes.json beside it, changes nothing
    python3 tests/golden/classes.py --write   writes classes.json anew
"""
import json, pathlib, sys, warnings
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")


def gen(count, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return values


def scored(classes, truth, taken):
    labels = list(range(classes))
    own = metrics.precision_recall_fscore_support(truth, taken, labels=labels, zero_division=0)
    scores = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    return {
        "classes": classes,
        "truth": truth,
        "taken": taken,
        **{name: list(map(float, values)) for name, values in zip(("precision", "recall", "f1", "support"), own)},
        "averages": {
            f"{name}{average.capitalize()}": float(score(truth, taken, average=average, zero_division=0))
            for name, score in scores.items()
            for average in ("macro", "micro", "weighted")
        },
    }


def ranked(count, seed, steps):
    # Rounded to so many steps, so that some scores are equal.
    scores = [round(steps * value) / steps for value in gen(count, seed)]
    truth = [int(value + noise > 0.4) for value, noise in zip(scores, gen(count, seed + 1))]
    return {"scores": scores, "truth": truth, "auc": float(metrics.roc_auc_score(truth, scores))}


noisy = [int(abs(value) * 4) for value in gen(60, 81)]
out = {
    "scikit-learn": sklearn.__version__,
    "scored": [
        # Spread over four classes, of which one of five is nowhere.
        scored(5, noisy, [min(3, max(0, label + round(change))) for label, change in zip(noisy, gen(60, 82))]),
        # A class that nothing is taken for, and one that nothing is of.
        scored(4, [0, 0, 1, 1, 2, 2], [0, 3, 0, 0, 2, 2]),
        scored(2, [0] * 91 + [1] * 9, [0] * 90 + [1] + [0, 0] + [1] * 7),
        scored(2, [1, 1, 1], [0, 0, 0]),
    ],
    "ranked": [ranked(40, 83, 3), ranked(200, 85, 1000), ranked(17, 87, 1)],
}

file = pathlib.Path(__file__).with_name("classes.json")
if "--write" in sys.argv:
    file.write_text(json.dumps(out, indent=1) + "\n")
else:
    assert json.loads(file.read_text()) == out, "classes.json differs"
    print("classes.json agrees, scikit-learn", sklearn.__version__)
