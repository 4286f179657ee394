"""Makes images.json with PyTorch (made with torch 2.15.0, torchvision 0.29.2: pip install torchvision).

    python3 tests/golden/images.py

Operations and layers of image models, computed in float64 on numbers of the generator of tests/support/numbers.ts.
Tensors are kept as their norm and their product with numbers of the generator, channels last.
"""

import json
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import SqueezeExcitation


def generate(seed, shape, low=-1.0, high=1.0):
    """pseudoRandom of tests/support/numbers.ts."""
    count = int(numpy.prod(shape))
    factors = numpy.cumprod(numpy.full(count, 1664525, numpy.uint32), dtype=numpy.uint32)
    offsets = numpy.cumsum(numpy.concatenate([numpy.ones(1, numpy.uint32), factors[:-1]]), dtype=numpy.uint32)
    states = factors * numpy.uint32(seed) + offsets * numpy.uint32(1013904223)
    return torch.from_numpy(low + (high - low) * (states / 2**32)).reshape(shape)


def rounded(values):
    return [float(f"{value:.12g}") for value in values]


def fingerprint(seed, tensor):
    return rounded([tensor.norm().item(), (tensor * generate(seed, tensor.shape)).sum().item()])


def last(tensor):
    return tensor.permute(0, 2, 3, 1)


def first(tensor):
    return tensor.permute(0, 3, 1, 2)


def convolution(x_shape, filter_shape, **options):
    """Images are channels last."""
    x, weight = generate(51, x_shape).requires_grad_(), generate(52, filter_shape).requires_grad_()
    y = last(functional.conv2d(first(x), weight, **options))
    (y * generate(53, y.shape)).sum().backward()
    return {
        "x": list(x_shape),
        "filter": list(filter_shape),
        "options": options,
        "shape": list(y.shape),
        "y": fingerprint(54, y),
        "dx": fingerprint(55, x.grad),
        "dfilter": fingerprint(56, weight.grad),
    }


def function(f):
    x = torch.tensor([-50.0, -6, -3.5, -2.5, -1, -0.1, 0.1, 1, 2.5, 3.5, 5.5, 6.5, 50], dtype=torch.float64)
    x.requires_grad_()
    y = f(x)
    y.sum().backward()
    return {"x": x.tolist(), "y": rounded(y.tolist()), "dx": rounded(x.grad.tolist())}


def fill(network, seed):
    with torch.no_grad():
        for index, (name, tensor) in enumerate(listed(network)):
            low, high = (0.5, 1.5) if name.endswith("running_var") else (-0.5, 0.5)
            tensor.copy_(generate(seed + index, tensor.shape, low, high).float())


def listed(network):
    return [(name, value) for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")]


def squeeze_excitation():
    layer = SqueezeExcitation(6, 3, scale_activation=nn.Hardsigmoid).double()
    fill(layer, 60)
    x = generate(57, (2, 3, 4, 6)).requires_grad_()
    y = last(layer(first(x)))
    (y * generate(58, y.shape)).sum().backward()
    gradients = [fingerprint(59, value.grad) for value in layer.parameters()]
    return {"y": fingerprint(59, y), "dx": fingerprint(59, x.grad), "gradients": gradients}


def network(modules, shape):
    sequence = nn.Sequential(*modules).double()
    fill(sequence, 70)
    x = generate(69, shape).float().double()
    evaluated = sequence.eval()(first(x))
    trained = sequence.train()(first(x))
    functional.cross_entropy(trained, torch.arange(shape[0]) % trained.shape[1]).backward()
    return {
        "tensors": [f"{name} [{', '.join(map(str, tensor.shape))}]" for name, tensor in listed(sequence)],
        "image": list(shape),
        "eval": rounded(evaluated.flatten().tolist()),
        "train": rounded(trained.flatten().tolist()),
        "gradients": [fingerprint(90 + i, value.grad) for i, value in enumerate(sequence.parameters())],
    }


result = {
    "convolutions": [
        convolution((2, 5, 4, 3), (3, 1, 3, 3), groups=3, padding=1),
        convolution((1, 9, 7, 21), (21, 1, 5, 5), groups=21, padding=2, stride=2),
        convolution((2, 7, 6, 8), (8, 1, 3, 3), groups=8, padding=2, dilation=2),
        convolution((2, 6, 7, 6), (4, 3, 3, 3), groups=2, padding=1, stride=2),
        convolution((1, 6, 5, 4), (12, 1, 3, 3), groups=4, padding=1),
        convolution((1, 9, 8, 3), (5, 3, 3, 2), dilation=3, padding=2, stride=2),
    ],
    "functions": {
        "relu6": function(functional.relu6),
        "silu": function(functional.silu),
        "hardSigmoid": function(functional.hardsigmoid),
        "hardSwish": function(functional.hardswish),
    },
    "squeezeExcitation": squeeze_excitation(),
    # The networks of tests/plugins/models/stack_test.ts.
    "stacks": {
        "cnn": network(
            [
                nn.Conv2d(3, 8, 3, 1, 1, bias=False),
                nn.BatchNorm2d(8),
                nn.ReLU6(),
                nn.MaxPool2d(2),
                nn.Conv2d(8, 8, 5, 1, 2, groups=8, bias=False),
                nn.BatchNorm2d(8),
                nn.Hardswish(),
                nn.Conv2d(8, 6, 3, 2, 2, dilation=2),
                nn.SiLU(),
                nn.AvgPool2d(2, 1),
                nn.Flatten(),
                nn.Linear(12, 7),
                nn.GELU(),
                nn.Linear(7, 5),
            ],
            (4, 11, 9, 3),
        ),
        "global": network(
            [nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)],
            (3, 4, 5, 3),
        ),
        "mlp": network(
            [nn.Flatten(), nn.Linear(24, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh()]
            + [nn.Linear(5, 3)],
            (6, 4, 3, 2),
        ),
    },
}
Path(__file__).with_name("images.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
