"""Scores of whole spans by seqeval: python3 spans.py > spans.json (pip install seqeval)."""

import json
import random
import warnings

from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

warnings.filterwarnings("ignore")
rng = random.Random(7)
TYPES = ["PER", "LOC", "a-b"]

# Letters of each scheme, and those of IOBES that seqeval's default mode knows them by.
SCHEMES = {
    "BIO": dict(B="B", I="I"),
    "BIOES": dict(B="B", I="I", E="E", S="S"),
    "BILOU": dict(B="B", I="I", L="E", U="S"),
    "BMES": dict(B="B", M="I", E="E", S="S"),
    "BMEWO": dict(B="B", M="I", E="E", W="S"),
}


def table(name, letters, suffix, bare):
    types = [""] if bare else TYPES[:2] if suffix else TYPES
    join = (lambda l, t: l) if bare else (lambda l, t: f"{t}-{l}") if suffix else (lambda l, t: f"{l}-{t}")
    pairs = [(join(l, t), join(i, t)) for l, i in letters.items() for t in types] + [("O", "O")] * 3
    true, pred, known_true, known_pred = [], [], [], []
    for _ in range(8):
        length = rng.randint(1, 9)
        a = [rng.choice(pairs) for _ in range(length)]
        b = [x if rng.random() < 0.7 else rng.choice(pairs) for x in a]
        for out, known, tags in ((true, known_true, a), (pred, known_pred, b)):
            out.append(" ".join(t for t, _ in tags))
            known.append([t for _, t in tags])
    options = dict(suffix=suffix, zero_division=0)
    return {
        "scheme": name,
        "place": "bare" if bare else "suffix" if suffix else "prefix",
        "true": true,
        "predicted": pred,
        "spans": [", ".join(f"{t} {b}-{e + 1}" for t, b, e in get_entities(tags, suffix)) for tags in known_true],
        "precision": precision_score(known_true, known_pred, **options),
        "recall": recall_score(known_true, known_pred, **options),
        "f1": f1_score(known_true, known_pred, **options),
        "averages": {
            f"{score}{average.capitalize()}": of(known_true, known_pred, average=average, **options)
            for score, of in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score))
            for average in ("macro", "micro", "weighted")
        },
    }


cases = [
    table(name, letters, suffix, bare)
    for name, letters in SCHEMES.items()
    for suffix, bare in ((False, False), (True, False), (False, True))
]
print(json.dumps({"seqeval": "1.2.2", "cases": cases}, indent=1))
