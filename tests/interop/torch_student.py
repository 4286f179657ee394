"""Loads an exported ResNet student in PyTorch and measures its accuracy: an independent reader of what a run wrote.

    python3 tests/interop/torch_student.py runs/quickstart/student IMAGES.gz LABELS.gz

Needs torch and numpy (Debian: python3-torch), nothing else; the safetensors file is read by its format.
"""

import gzip
import json
import struct
import sys

import numpy as np
import torch
from torch import nn


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: torch.from_numpy(
            np.frombuffer(data[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"]).copy()
        )
        for name, entry in header.items()
    }


def read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    rank = content[3]
    shape = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


class Block(nn.Module):
    """A basic residual block under torchvision's names."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class CifarResNet(nn.Module):
    """The three-stage family of He et al. 2016, section 4.2."""

    def __init__(self, depth, width, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(3):
            blocks = []
            for index in range((depth - 2) // 6):
                blocks.append(Block(inputs, width * 2**stage, 2 if stage > 0 and index == 0 else 1))
                inputs = width * 2**stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def main(folder, images, labels):
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    size = config["input"]
    model = CifarResNet(config["depth"], config["width"], size["channels"], len(config["labels"]))
    loaded = model.load_state_dict(read_safetensors(f"{folder}/model.safetensors"), strict=False)
    # PyTorch counts batches in a buffer of its own that inference does not use; nothing else may be missing.
    missing = [name for name in loaded.missing_keys if not name.endswith("num_batches_tracked")]
    assert not missing and not loaded.unexpected_keys, (missing, loaded.unexpected_keys)
    model.eval()
    mean, std = size["normalise"]["mean"][0], size["normalise"]["std"][0]
    pixels = (torch.from_numpy(read_idx(images).astype(np.float32))[:, None] / 255 - mean) / std
    truth = torch.from_numpy(read_idx(labels).astype(np.int64))
    with torch.no_grad():
        predicted = torch.cat([model(part).argmax(1) for part in pixels.split(500)])
    print(f"torch {torch.__version__}: accuracy {(predicted == truth).double().mean().item():.4f} on {len(truth)} images")


if __name__ == "__main__":
    main(*sys.argv[1:])
