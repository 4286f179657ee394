"""
Computes attributions.json: the loss of AD-KD between two small encoders, the maps that it compares, and its gradient by
every weight, by transformers' BERT and PyTorch's double backward (create_graph=True) in float64.

    python3 tests/golden/attributions.py           compares with attributions.json beside it, changes nothing
    python3 tests/golden/attributions.py --write   writes attributions.json anew

The student has the weights of ../fixtures/bert, the teacher three quarters of each. The loss is written as the published
code has it, with -log p_c ("log p", one step alone is equal to ours), and with the log-odds of c.
"""
import json, pathlib, sys
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

HERE = pathlib.Path(__file__).parent
BERT = HERE.parent / "fixtures" / "bert"


def gen(size, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(size):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float64)


def encoder(name, labels, share):
    config = json.loads((BERT / f"{name}.json").read_text())
    model = BertForSequenceClassification(BertConfig(**config, num_labels=labels, attn_implementation="eager"))
    model = model.double().eval()  # without dropout
    weights = {key: share * value.double() for key, value in load_file(BERT / f"{name}.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all("position_ids" in key for key in missing), (missing, unexpected)
    return model


def answers(model, batch, share):
    """Logits, and what the first layer gets: a share of the embeddings."""
    x = share * model.bert.embeddings(input_ids=batch["tokens"], token_type_ids=batch["types"])
    hidden = (1 - batch["mask"].double())[:, None, None, :] * -1e30
    state = x
    for layer in model.bert.encoder.layer:
        state = layer(state, hidden)
        state = state[0] if isinstance(state, tuple) else state
    return x, model.classifier(model.bert.pooler(state))


def target(logits, c, kind):
    if logits.shape[1] == 1:
        return logits.sum()
    if kind == "log p":
        return -torch.log_softmax(logits, -1)[:, c].sum()
    others = [j for j in range(logits.shape[1]) if j != c]
    return (logits[:, c] - torch.logsumexp(logits[:, others], -1)).sum()


def attributions(model, batch, c, steps, kind):
    total = 0
    for k in range(1, steps + 1):
        x, logits = answers(model, batch, k / steps)
        (gradient,) = torch.autograd.grad(target(logits, c, kind), [x], create_graph=True)
        total = total + gradient / steps
    return x * total


def norms(a):
    """Lengths of vectors, where that of none has no gradient."""
    squares = (a**2).sum(-1)
    return torch.where(squares == 0, 0.0, torch.where(squares == 0, 1.0, squares).sqrt())


def loss(student, teacher, batch, views, steps, top_k, kind):
    total, maps = 0, []
    for c in views:
        given = attributions(teacher, batch, c, steps, kind).detach().abs()
        taught = F.normalize(torch.topk(given, top_k or given.shape[-1], -1)[0].norm(dim=-1), dim=1)
        own = F.normalize(norms(attributions(student, batch, c, steps, kind)), dim=1)
        total = total + ((own - taught) ** 2).sum() / (taught != 0).sum()
        maps.append(own.detach().tolist())
    return total, maps


def case(name, labels, views, steps=1, top_k=None, kind="log-odds"):
    file = load_file(BERT / f"{name}.expected.safetensors")
    batch = {key: file[key].long() for key in ["tokens", "types", "mask"]}
    student, teacher = encoder(name, labels, 1), encoder(name, labels, 0.75)
    value, maps = loss(student, teacher, batch, views, steps, top_k, kind)
    value.backward()
    gradients = {}
    for key, tensor in student.named_parameters():
        gradient = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        flat = gradient.flatten()
        gradients[key] = [flat.norm().item(), (flat * gen(flat.numel(), 81)).sum().item()]
    return {"value": value.item(), "maps": maps, "gradients": gradients}


def completeness(name, labels, c, steps):
    """What attributions add up to, and what they must in the limit."""
    file = load_file(BERT / f"{name}.expected.safetensors")
    batch = {key: file[key].long() for key in ["tokens", "types", "mask"]}
    model = encoder(name, labels, 1)
    at = lambda share: target(answers(model, batch, share)[1], c, "log-odds").item()
    return {"sum": attributions(model, batch, c, steps, "log-odds").sum().item(), "difference": at(1) - at(0)}


every = [0, 1, 2, 3]
out = {
    "oneStep": case("bert", 4, every),
    "oneStepOfLogP": {"value": case("bert", 4, every, kind="log p")["value"]},
    "topK": {"value": case("bert", 4, every, top_k=5)["value"]},
    "threeSteps": case("bert", 4, every, steps=3),
    "regression": case("regression", 1, [0]),
    "completeness": {str(steps): completeness("bert", 4, 1, steps) for steps in (8, 64)},
}

file = HERE / "attributions.json"
if "--write" in sys.argv:
    file.write_text(json.dumps(out) + "\n")
    print(f"wrote {file.name}")
else:
    known = json.loads(file.read_text())
    flat = lambda value: (
        [value] if isinstance(value, float) else
        [number for part in (value.values() if isinstance(value, dict) else value) for number in flat(part)]
    )
    ours, theirs = flat(out), flat(known)
    worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(ours, theirs, strict=True))
    print(f"{len(ours)} numbers, largest difference {worst:.1e}")
    assert worst < 1e-9
