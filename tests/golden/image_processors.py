"""Pictures resized by Pillow and prepared by transformers: python3 image_processors.py > image_processors.json

pip install transformers torch "pillow<13". Pictures are (x^2 + 3 y^2 + 7 x y + 40 c + 5 x c) mod 256, row by row.
"""

import json
import os
import tempfile

import numpy as np
from PIL import Image, __version__ as pillow
from transformers import __version__
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.mobilenet_v1.image_processing_pil_mobilenet_v1 import MobileNetV1ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


def picture(height, width, channels):
    y, x, c = np.meshgrid(range(height), range(width), range(channels), indexing="ij")
    return ((x * x + 3 * y * y + 7 * x * y + 40 * c + 5 * x * c) % 256).astype(np.uint8)


def resized(height, width, channels, to, name):
    pixels = picture(height, width, channels)
    image = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    out = np.asarray(image.resize((to[1], to[0]), FILTERS.index(name)))
    return {"from": [height, width, channels], "to": to, "resampling": name, "bytes": out.flatten().tolist()}


def prepared(kind, shape, **settings):
    return made(kind, shape, settings, lambda config: config)


def short(kind, shape, **settings):
    """As by a file that was written by hand, with these keys alone."""
    return made(kind, shape, settings, lambda config: {key: config[key] for key in ["image_processor_type", *settings]})


def made(kind, shape, settings, cut):
    processor = kind(**settings)
    with tempfile.TemporaryDirectory() as folder:
        processor.save_pretrained(folder)
        config = cut(json.load(open(os.path.join(folder, "preprocessor_config.json"))))
    values = processor(Image.fromarray(picture(*shape)), return_tensors="np")["pixel_values"][0]
    values = values.transpose(1, 2, 0)
    return {"from": shape, "config": config, "shape": list(values.shape), "values": [round(float(v), 6) for v in values.flatten()]}


SIZES = [(9, 7, 3, (4, 5)), (5, 6, 1, (12, 9)), (8, 8, 3, (3, 8)), (8, 8, 1, (8, 3)), (1, 11, 3, (4, 2))]
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
print(json.dumps({
    "versions": {"pillow": pillow, "transformers": __version__},
    "resized": [resized(h, w, c, to, name) for h, w, c, to in SIZES for name in FILTERS],
    "prepared": [
        prepared(ViTImageProcessorPil, (9, 7, 3), size={"height": 6, "width": 5}, **HALF),
        prepared(ViTImageProcessorPil, (9, 7, 3), size=6, resample=3, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.25, 1.0]),
        prepared(ViTImageProcessorPil, (6, 8, 3), do_resize=False, do_rescale=False, image_mean=[127.5] * 3, image_std=[127.5] * 3),
        prepared(ViTImageProcessorPil, (6, 8, 3), size={"height": 6, "width": 8}, do_normalize=False),
        prepared(DeiTImageProcessorPil, (10, 12, 3), size={"height": 9, "width": 9}, crop_size={"height": 6, "width": 4}),
        prepared(DeiTImageProcessorPil, (5, 5, 3), size={"height": 4, "width": 4}, crop_size={"height": 7, "width": 6}),
        prepared(ConvNextImageProcessorPil, (12, 9, 3), size={"shortest_edge": 7}, crop_pct=0.875),
        prepared(ConvNextImageProcessorPil, (9, 12, 3), size={"shortest_edge": 7}, crop_pct=0.7, resample=2),
        short(ViTImageProcessorPil, (9, 7, 3), size={"height": 6, "width": 5}, **HALF),
        *[
            short(kind, (10, 12, 3), size={"shortest_edge": 9}, crop_size={"height": 6, "width": 4}, **HALF)
            for kind in [CLIPImageProcessorPil, BitImageProcessorPil, MobileNetV1ImageProcessorPil]
        ],
        short(DeiTImageProcessorPil, (10, 12, 3), size={"height": 9, "width": 9}, crop_size={"height": 6, "width": 4}, **HALF),
        short(SiglipImageProcessorPil, (10, 12, 3), size={"height": 6, "width": 5}, **HALF),
        short(BeitImageProcessorPil, (10, 12, 3), size={"height": 6, "width": 5}, do_center_crop=False, **HALF),
    ],
}))
