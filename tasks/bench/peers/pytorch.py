"""PyTorch on the CPU (NumPy for decompositions where there is no PyTorch): `python3 pytorch.py CASE [--repeats=N]`.

Repeats workload.ts (same numbers, same network) and prints the same line of JSON; the losses
show that the networks agree. Eager mode, as PyTorch's users train; ends with code 69 where the library is missing.
"""

import json
import math
import sys

from hashed import hashed, np, torch
from protocol import UNAVAILABLE, blas, cores, timed

CASES = ("matmul", "attention", "resnet8", "inference", "encoder-mail", "encoder-minilm", "encoder-base")
CASES += ("decompose", "decompose-3072")
BATCH, IMAGE, CLASSES = 32, 28, 10

if torch:
    import torch.nn as nn
    import torch.nn.functional as F


class Matmul:
    size, flops = 1024, 2 * 1024**3

    @classmethod
    def inputs(cls):
        n = cls.size
        return hashed(1, n * n, math.sqrt(3 / n)).reshape(n, n), hashed(2, n * n).reshape(n, n)

    def __init__(self, a, x):
        self.a, self.x = a, x

    def step(self):
        self.x = self.a @ self.x

    def sync(self):
        return float(self.x[0, 0])


def network():
    """ResNet-8 with torchvision's names, its parameters in workload.ts's order."""

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.downsample = None
            if inputs != outputs:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(residual + (self.downsample(x) if self.downsample else x))

    class ResNet8(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(16)
            self.layer1 = nn.Sequential(Block(16, 16, 1))
            self.layer2 = nn.Sequential(Block(16, 32, 2))
            self.layer3 = nn.Sequential(Block(32, 64, 2))
            self.fc = nn.Linear(64, CLASSES)

        def forward(self, x):
            x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
            return self.fc(x.mean((2, 3)))

    model = ResNet8()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            if p.dim() > 1:  # batch norms start at one and zero by themselves
                bound = math.sqrt((6 if p.dim() == 4 else 1) / p[0].numel())
                p.copy_(hashed(100 + i, p.numel(), bound).reshape(p.shape))
        model.fc.bias.zero_()
    return model


class ResNet8:
    size = BATCH

    @staticmethod
    def inputs():
        images = hashed(4, BATCH * IMAGE * IMAGE, math.sqrt(3)).reshape(BATCH, 1, IMAGE, IMAGE)
        return images, torch.arange(BATCH) % CLASSES

    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        self.model = network()
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.loss = None

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        self.loss = F.cross_entropy(self.model(self.images), self.labels)
        self.loss.backward()
        self.optimiser.step()

    def sync(self):
        return float(self.loss.detach())

    @property
    def flops(self):
        return 3 * resnet8_forward() - convolution(28, 1, 16, 3)  # the images need no gradient


def convolution(side, channels_in, channels_out, kernel):
    return 2 * BATCH * side**2 * channels_in * channels_out * kernel**2


def resnet8_forward():
    shapes = [(28, 1, 16, 3), (28, 16, 16, 3), (28, 16, 16, 3), (14, 16, 32, 3), (14, 32, 32, 3), (14, 16, 32, 1)]
    shapes += [(7, 32, 64, 3), (7, 64, 64, 3), (7, 32, 64, 1)]
    return 2 * BATCH * CLASSES * 64 + sum(convolution(*s) for s in shapes)


class Inference:
    """As people answer in eager mode: no gradients, and batch norm by its statistics."""

    size = 128

    @staticmethod
    def inputs():
        return (hashed(9, Inference.size * IMAGE * IMAGE, math.sqrt(3)).reshape(Inference.size, 1, IMAGE, IMAGE),)

    def __init__(self, images):
        self.images, self.model = images, network().eval()

    def step(self):
        with torch.inference_mode():
            self.logits = self.model(self.images)

    def sync(self):
        return float(self.logits[0, 0])

    @property
    def flops(self):
        return Inference.size / BATCH * resnet8_forward()


class Decompose:
    """LAPACK's SVD of the interleaved matrix, its singular values shared between the two outer cores."""

    rows, cols, flops = (32, 24), (32, 24), None

    @classmethod
    def inputs(cls):
        return (hashed(3, math.prod(cls.rows + cls.cols)),)

    @property
    def size(self):
        return math.prod(self.rows)

    def __init__(self, matrix):
        self.matrix = matrix

    def step(self):
        (i1, i2), (j1, j2) = self.rows, self.cols
        x = self.matrix.reshape(i1, i2, j1, j2)
        if torch:
            self.interleaved = x.permute(0, 2, 1, 3).reshape(i1 * j1, i2 * j2)
            u, self.s, vt = torch.linalg.svd(self.interleaved, full_matrices=False)
        else:
            self.interleaved = x.transpose(0, 2, 1, 3).reshape(i1 * j1, i2 * j2)
            u, self.s, vt = np.linalg.svd(self.interleaved, full_matrices=False)
        root = self.s**0.5
        self.left, self.right = u * root, root[:, None] * vt

    def sync(self):
        return float(self.s[0])

    def error(self):
        difference = self.left @ self.right - self.interleaved
        return float((difference**2).sum() ** 0.5 / (self.interleaved**2).sum() ** 0.5)


class Decompose3072(Decompose):
    rows = (64, 48)


def measure(case):
    if case == "attention" or case.startswith("encoder-"):
        from encoder import Attention, Encoder

        work, result, _ = timed(Attention if case == "attention" else lambda: Encoder(case))
        return {"case": case, **result}
    kinds = {"matmul": Matmul, "resnet8": ResNet8, "inference": Inference}
    kind = {**kinds, "decompose": Decompose, "decompose-3072": Decompose3072}[case]
    inputs = kind.inputs()
    work, result, _ = timed(lambda: kind(*inputs))
    if isinstance(work, Decompose):
        result["error"] = work.error()
    return {"case": case, **result}


def main():
    case = sys.argv[1] if len(sys.argv) > 1 else ""
    if case not in CASES:
        sys.exit(f'Cannot run the case "{case}": the cases are {", ".join(CASES)}')
    if torch is None and (np is None or not case.startswith("decompose")):
        print("PyTorch is not installed in this Python", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    if torch:
        # Some builds start with one thread; every engine here may use all cores of the process.
        torch.set_num_threads(cores())
    result = measure(case)
    result["engine"] = "PyTorch CPU" if torch else "NumPy"
    result["version"] = torch.__version__ if torch else np.__version__
    note = blas()
    if note:
        result["note"] = note
    print(json.dumps(result))


if __name__ == "__main__":
    main()
