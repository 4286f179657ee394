"""Writes rand_augment.json: two small pictures, and the SHA-256 of what torchvision's RandAugment makes of their bytes.

    pip install torchvision "pillow<13"
    python3 tests/golden/rand_augment.py
"""
import hashlib
import json
import os

import numpy
from PIL import Image
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms.autoaugment import _apply_op

HEIGHT, WIDTH, BINS = 37, 45, 31


def picture(channels):
    """Blotches in a part of the range of bytes, so that stretching and equalising have something to do."""
    y, x, c = numpy.meshgrid(range(HEIGHT), range(WIDTH), range(channels), indexing="ij")
    return (30 + 20 * c + (x * x + 3 * y * y + 40 * c * x) // 40 % 97 + x * y % 41).astype(numpy.uint8)


def main():
    out = {"height": HEIGHT, "width": WIDTH, "bins": BINS, "strengths": {}, "pictures": {}}
    for magnitude in (0, 9, 15, 30):
        space = RandAugment(num_magnitude_bins=BINS)._augmentation_space(BINS, (HEIGHT, WIDTH))
        out["strengths"][magnitude] = {
            name: float(values[magnitude]) if values.ndim else 0.0 for name, (values, _) in space.items()
        }
    for channels in (1, 3):
        pixels = picture(channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        results = {}
        for name, (values, signed) in RandAugment()._augmentation_space(BINS, (HEIGHT, WIDTH)).items():
            if name == "Identity":
                continue
            # One way by the usual strength, the other way by nearly the most.
            ways = [(9, 1), (27, -1)] if signed else [(9, 1), (27, 1)] if values.ndim else [(9, 1)]
            for magnitude, sign in ways:
                strength = sign * float(values[magnitude]) if values.ndim else 0.0
                made = _apply_op(image, name, strength, interpolation=InterpolationMode.NEAREST, fill=None)
                results[f"{name} {sign * magnitude}"] = hashlib.sha256(numpy.asarray(made).tobytes()).hexdigest()
        out["pictures"][channels] = results
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "rand_augment.json"), "w") as file:
        json.dump(out, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
