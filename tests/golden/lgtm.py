"""
Computes lgtm.json: three steps of LGTM (Ren et al. 2023) on small networks, by PyTorch in float64: the teacher's first
gradient, what of it is the influence of held-out examples and what that stands for, and the weights of both after the
steps.

    python3 tests/golden/lgtm.py           compares with lgtm.json beside it, changes nothing
    python3 tests/golden/lgtm.py --write   writes lgtm.json anew
"""
import copy, json, pathlib, sys
import torch
import torch.nn.functional as F

STEPS, FEATURES, CLASSES, BATCH, HELD_OUT = 3, 3, 3, 6, 4
RATE, TEACHERS_RATE = 1 / 32, 1 / 64
ALPHA, TEMPERATURE, RADIUS = 0.4, 2.0, 0.01


def gen(shape, seed):
    # The congruential generator of golden.py, rounded to float32, as the program takes its inputs.
    state, values = seed, []
    for _ in range(int(torch.tensor(shape).prod())):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


class Network(torch.nn.Module):
    """Two layers with tanh between; the first weight may be a product of two matrices, a chain of two cores."""

    def __init__(self, width, seed, chain):
        super().__init__()
        tensors = {"first.bias": (width,), "second.weight": (CLASSES, width), "second.bias": (CLASSES,)}
        if chain:
            tensors |= {"first.weight#0": (width, FEATURES), "first.weight#1": (FEATURES, FEATURES)}
        else:
            tensors |= {"first.weight": (width, FEATURES)}
        self.names = sorted(tensors)
        self.all = torch.nn.ParameterList(
            [torch.nn.Parameter(gen(tensors[name], seed + place)) for place, name in enumerate(self.names)]
        )

    def forward(self, x):
        own = dict(zip(self.names, self.all))
        first = own["first.weight"] if "first.weight" in own else own["first.weight#0"] @ own["first.weight#1"]
        return torch.tanh(x @ first.T + own["first.bias"]) @ own["second.weight"].T + own["second.bias"]

    def numbers(self):
        return {name: tensor.detach().flatten().tolist() for name, tensor in zip(self.names, self.all)}


def kl(reference, logits, temperature):
    p, q = (F.log_softmax(x / temperature, -1) for x in (reference, logits))
    return (p.exp() * (p - q)).sum(-1).mean()


def student_loss(student, teacher, x, y):
    """The losses of the recipe: 0.3 cross-entropy + 0.7 kd, which has T^2 as a factor."""
    logits = student(x)
    soft = TEMPERATURE**2 * kl(teacher(x).detach(), logits, TEMPERATURE)
    return 0.3 * F.cross_entropy(logits, y) + 0.7 * soft


def teacher_loss(teacher, student, x, y):
    logits = teacher(x)
    return ALPHA * kl(student(x), logits, TEMPERATURE) + (1 - ALPHA) * F.cross_entropy(logits, y)


def gradient(loss, network):
    return torch.autograd.grad(loss, list(network.all))


def move(network, optimiser, gradients):
    for tensor, one in zip(network.all, gradients):
        tensor.grad = one.clone()
    optimiser.step()


def adamw(network, rate):
    return torch.optim.AdamW(network.all, lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)


def run(chain):
    student, teacher = Network(4, 300, chain), Network(5, 400, False)
    optimisers = adamw(student, RATE), adamw(teacher, TEACHERS_RATE)
    result = {}
    for step in range(STEPS):
        x, y = gen((BATCH, FEATURES), 100 + step), torch.arange(BATCH) % CLASSES
        held_x, held_y = gen((HELD_OUT, FEATURES), 200 + step), (torch.arange(HELD_OUT) + step) % CLASSES
        # The student one step ahead, and its gradient on held-out examples.
        ahead = copy.deepcopy(student)
        optimiser = adamw(ahead, RATE)
        optimiser.load_state_dict(copy.deepcopy(optimisers[0].state_dict()))
        move(ahead, optimiser, gradient(student_loss(student, teacher, x, y), student))
        v = gradient(F.cross_entropy(ahead(held_x), held_y), ahead)
        epsilon = RADIUS / torch.cat([part.flatten() for part in v]).norm()

        def at(direction):
            moved = copy.deepcopy(student)
            with torch.no_grad():
                for tensor, part in zip(moved.all, v):
                    tensor += direction * epsilon * part
            return gradient(teacher_loss(teacher, moved, x, y), teacher)

        influence = [(a - b) / (2 * epsilon) for a, b in zip(at(1), at(-1))]
        own = gradient(teacher_loss(teacher, student, x, y), teacher)
        whole = [a - TEACHERS_RATE * b for a, b in zip(own, influence)]
        if step == 0:
            # What the two gradients' difference stands for: the second derivative times v, by differentiating twice.
            weights = [torch.zeros_like(tensor, requires_grad=True) for tensor in teacher.all]
            first = torch.autograd.grad(teacher_loss(teacher, student, x, y), list(teacher.all), create_graph=True)
            weighted = sum((a * b).sum() for a, b in zip(first, weights))
            back = torch.autograd.grad(weighted, list(student.all), create_graph=True)
            exact = torch.autograd.grad(sum((a * b).sum() for a, b in zip(back, v)), weights)
            named = lambda parts: {n: p.flatten().tolist() for n, p in zip(teacher.names, parts)}
            result = {"exact": named(exact), "influence": named(influence), "gradient": named(whole)}
        move(teacher, optimisers[1], whole)
        move(student, optimisers[0], gradient(student_loss(student, teacher, x, y), student))
    return result | {"student": student.numbers(), "teacher": teacher.numbers()}


def close(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    return torch.allclose(torch.tensor(a), torch.tensor(b), rtol=1e-10, atol=1e-12)


out = {"plain": run(False), "chain": run(True)}
file = pathlib.Path(__file__).with_suffix(".json")
if "--write" in sys.argv:
    file.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{file.name} written, PyTorch {torch.__version__}")
else:
    agrees = close(out, json.loads(file.read_text()))
    print(f"{file.name} {'agrees' if agrees else 'DIFFERS'}, PyTorch {torch.__version__}")
    sys.exit(0 if agrees else 1)
