"""
Computes kinds.json: weights as they are made of over-parameterisations, and the gradients of what they are made of, by
PyTorch in float64. Each is written by the einsum of its paper's published code (OREPA, DO-Conv) or equation (majority
kernels), and the loss is the sum of the weight times fixed numbers.

    python3 tests/golden/kinds.py           compares with kinds.json beside it, changes nothing
    python3 tests/golden/kinds.py --write   writes kinds.json anew
"""
import json, pathlib, sys
import torch
import torch.nn.functional as F


def gen(shape, seed):
    # The congruential generator of golden.py.
    state, values = seed, []
    for _ in range(int(torch.tensor(shape).prod())):
        state = (1664525 * state + 1013904223) % (1 << 32)
        values.append(2 * state / 2**32 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def kernel_sum(o, i, h, w, k):
    kernels, gains = gen((k, o, i, h, w), 1), gen((k, o), 2)
    points, point_gains = gen((2, o, i), 3), gen((2, o), 4)

    def weight(kernels, gains, points, point_gains):
        total = sum(torch.einsum("oihw,o->oihw", kernels[j], gains[j]) for j in range(k))
        if h * w == 1:
            return total
        # A kernel of one place is one of all places that is zero around it.
        around = (w // 2, w - 1 - w // 2, h // 2, h - 1 - h // 2)
        alone = F.pad(points[0].reshape(o, i, 1, 1), around)
        mean = torch.einsum("oi,hw->oihw", points[1], torch.ones(h, w, dtype=torch.float64) / (h * w))
        return total + torch.einsum("oihw,o->oihw", alone, point_gains[0]) + torch.einsum(
            "oihw,o->oihw", mean, point_gains[1]
        )

    tensors = [kernels, gains] + ([points, point_gains] if h * w > 1 else [])
    return weight if h * w > 1 else (lambda a, b: weight(a, b, None, None)), tensors


def do_conv(o, i, h, w):
    places = h * w
    eye = torch.eye(places, dtype=torch.float64).repeat(i, 1, 1)

    def weight(kernel, difference):
        return torch.einsum("ims,ois->oim", difference + eye, kernel.reshape(o, i, places)).reshape(o, i, h, w)

    return weight, [gen((o, i, h, w), 1), gen((i, places, places), 2)]


def majority(o, i, h, w, k):
    shares = (gen((k,), 7) + 1.5) / (gen((k,), 7) + 1.5).sum()

    def mixed(kernels):
        return torch.einsum("k,koihw->oihw", shares, kernels)

    return mixed, [gen((k, o, i, h, w), 1)], shares


def entry(weight, tensors, **more):
    inputs = [tensor.clone().requires_grad_() for tensor in tensors]
    output = weight(*inputs)
    (output * gen(output.shape, 9)).sum().backward()
    flat = lambda tensor: [float(f"{value:.15g}") for value in tensor.detach().flatten().tolist()]
    return {"weight": flat(output), "gradients": [flat(tensor.grad) for tensor in inputs], **more}


mixed, kernels, shares = majority(3, 5, 1, 1, 3)
out = {
    "sum_3x2x3x3_k2": entry(*kernel_sum(3, 2, 3, 3, 2)),
    "sum_2x3x2x4_k3": entry(*kernel_sum(2, 3, 2, 4, 3)),
    "sum_4x3x1x1_k1": entry(*kernel_sum(4, 3, 1, 1, 1)),
    "do_conv_3x2x3x3": entry(*do_conv(3, 2, 3, 3)),
    "do_conv_2x3x1x2": entry(*do_conv(2, 3, 1, 2)),
    "majority_3x5_k3": entry(mixed, kernels, shares=shares.tolist()),
}

file = pathlib.Path(__file__).with_suffix(".json")
if "--write" in sys.argv:
    file.write_text(json.dumps(out, separators=(",", ":")) + "\n")
else:
    old = json.loads(file.read_text())
    close = lambda a, b: torch.allclose(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64), rtol=1e-12, atol=1e-13)
    assert old.keys() == out.keys()
    for name in out:
        assert close(out[name]["weight"], old[name]["weight"]), name
        assert all(close(a, b) for a, b in zip(out[name]["gradients"], old[name]["gradients"])), name
    print(f"kinds.json agrees ({len(out)} entries, PyTorch {torch.__version__})")
