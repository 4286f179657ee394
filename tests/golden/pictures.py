"""Writes pictures.json: small picture files of all kinds, and the pixels that Pillow reads of them.

pip install "pillow>=12" numpy; python3 tests/golden/pictures.py
What has opacity is put over BACKGROUND by Pillow; of 16 bits a channel the upper eight count; EXIF turns what it says.
"""

import base64
import io
import json
import os
import struct
import warnings
import zlib

import numpy
from PIL import Image, ImageOps

BACKGROUND = (250, 130, 20)
FILE = os.path.join(os.path.dirname(__file__), "pictures.json")
warnings.simplefilter("ignore")
random = numpy.random.default_rng(7)


def smooth(height, width):
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [128 + 100 * numpy.sin(x / (2 + c) + c) * numpy.cos(y / (3 - c / 2)) for c in range(3)]
    return numpy.clip(numpy.stack(waves, -1) + random.integers(-12, 13, (height, width, 3)), 0, 255).astype(numpy.uint8)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def packed(samples, depth):
    """Rows of samples [height, width, channels] as PNG stores them, unfiltered."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        elif depth == 8:
            data = flat.astype(numpy.uint8).tobytes()
        else:
            bits = "".join(format(int(sample), f"0{depth}b") for sample in flat)
            data = bytes(int(bits[at:at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))
        rows += b"\0" + data
    return rows


def png(samples, depth, colour, before=b"", interlaced=False):
    """A PNG that Pillow cannot write: sixteen bits, interlaced, one transparent colour."""
    height, width = samples.shape[:2]
    parts = [samples[y::down, x::across] for x, y, across, down in PASSES] if interlaced else [samples]
    data = b"".join(packed(part, depth) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def filtered(samples):
    """A PNG of which each row has another filter."""
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1).astype(int)
    row = rows.shape[1]
    data = b""
    for y in range(height):
        left = numpy.concatenate([numpy.zeros(3, int), rows[y, :-3]])
        above = rows[y - 1] if y else numpy.zeros(row, int)
        corner = numpy.concatenate([numpy.zeros(3, int), above[:-3]])
        distances = numpy.stack([abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)])
        paeth = numpy.choose(distances.argmin(0), [left, above, corner])
        guess = [0, left, above, (left + above) // 2, paeth][y % 5]
        data += bytes([y % 5]) + ((rows[y] - guess) % 256).astype(numpy.uint8).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def bmp(width, height, bits, rows, palette=b"", compression=0, masks=b""):
    """A BMP of a depth that Pillow does not write."""
    pixels = 14 + 40 + len(masks) + len(palette)
    data = b"".join(row.ljust((width * bits + 31) // 32 * 4, b"\0") for row in rows)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", pixels + len(data), 0, 0, pixels) + head + masks + palette + data


def files():
    rgb = smooth(9, 13)
    image = Image.fromarray(rgb)
    grey = image.convert("L")
    opacity = random.integers(0, 256, (9, 13)).astype(numpy.uint8)
    opacity[:4] = 255
    clear = image.copy()
    clear.putalpha(Image.fromarray(opacity))
    few = image.quantize(11)
    yield "png-rgb", saved(image, "PNG")
    yield "png-rgba", saved(clear, "PNG")
    yield "png-grey", saved(grey, "PNG")
    yield "png-grey-alpha", saved(clear.convert("LA"), "PNG")
    yield "png-palette-4", saved(few, "PNG", bits=4)
    yield "png-palette-8", saved(image.quantize(200), "PNG")
    yield "png-palette-2", saved(image.quantize(4), "PNG", bits=2)
    yield "png-palette-clear", saved(few, "PNG", transparency=bytes([255, 0, 128]))
    yield "png-grey-1", saved(grey.convert("1"), "PNG")
    levels = random.integers(0, 2**16, (9, 13, 4))
    yield "png-grey-2", png(levels[..., :1] % 4, 2, 0)
    yield "png-grey-4", png(levels[..., :1] % 16, 4, 0)
    yield "png-grey-16", png(levels[..., :1], 16, 0)
    yield "png-rgb-16", png(levels[..., :3], 16, 2)
    yield "png-rgba-16", png(levels, 16, 6)
    # Few different bytes, so that the predictors of Paeth's filter are often as near as each other.
    yield "png-filters", filtered(random.integers(100, 104, (11, 13, 3)))
    yield "png-interlaced", png(rgb, 8, 2, interlaced=True)
    yield "png-interlaced-16", png(levels[..., :3], 16, 2, interlaced=True)
    colours = chunk(b"PLTE", bytes(few.getpalette()[:33]))
    yield "png-interlaced-palette-4", png(numpy.asarray(few)[..., None], 4, 3, colours, interlaced=True)
    yield "png-interlaced-grey-1", png(levels[..., :1] % 2, 1, 0, interlaced=True)
    yield "png-rgb-clear", png(rgb, 8, 2, chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[3, 5]))))
    yield "png-grey-clear", png(numpy.asarray(grey)[..., None], 8, 0, chunk(b"tRNS", struct.pack(">H", int(numpy.asarray(grey)[2, 2]))))
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "png-turned", saved(image, "PNG", exif=exif)
    photo = Image.fromarray(smooth(18, 21))
    yield "jpeg-444", saved(photo, "JPEG", quality=90, subsampling=0)
    yield "jpeg-422", saved(photo, "JPEG", quality=85, subsampling=1)
    yield "jpeg-420", saved(photo, "JPEG", quality=75, subsampling=2)
    yield "jpeg-progressive", saved(photo, "JPEG", quality=80, progressive=True)
    yield "jpeg-restarts", saved(photo, "JPEG", quality=80, restart_marker_rows=1)
    yield "jpeg-grey", saved(photo.convert("L"), "JPEG", quality=85)
    yield "jpeg-rgb", saved(photo, "JPEG", quality=95, keep_rgb=True)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"jpeg-turned-{orientation}", saved(image, "JPEG", quality=60, exif=exif)
    yield "webp-lossy", saved(photo, "WEBP", quality=80)
    yield "webp-lossless", saved(image, "WEBP", lossless=True)
    yield "webp-lossy-alpha", saved(clear, "WEBP", quality=90)
    yield "webp-lossless-alpha", saved(clear, "WEBP", lossless=True, exact=True)
    exif = Image.Exif()
    exif[0x0112] = 8
    yield "webp-turned", saved(image, "WEBP", lossless=True, exif=exif)
    yield "gif", saved(photo.quantize(256), "GIF")
    yield "gif-interlaced", saved(few, "GIF", interlace=1)
    yield "gif-flat", saved(few, "GIF", interlace=0)
    yield "gif-clear", saved(few, "GIF", transparency=3)
    yield "gif-animated", saved(few, "GIF", save_all=True, append_images=[image.quantize(7)], duration=50)
    yield "gif-full-table", saved(Image.fromarray(random.integers(0, 256, (60, 90)).astype(numpy.uint8)), "GIF")
    yield "bmp-24", saved(image, "BMP")
    yield "bmp-8", saved(image.quantize(77), "BMP")
    yield "bmp-1", saved(grey.convert("1"), "BMP")
    yield "bmp-grey", saved(grey, "BMP")
    yield "bmp-32", bmp(13, 9, 32, [numpy.hstack([row[:, ::-1], 0 * row[:, :1]]).tobytes() for row in rgb])
    yield "bmp-downwards", bmp(13, -9, 24, [row[:, ::-1].tobytes() for row in rgb])
    shades = [random.integers(0, 256, 7).astype(numpy.uint8).tobytes() for _ in range(9)]
    yield "bmp-4", bmp(13, 9, 4, shades, random.integers(0, 256, (16, 4)).astype(numpy.uint8).tobytes())
    fives = [random.integers(0, 2**16, 13).astype("<u2").tobytes() for _ in range(9)]
    yield "bmp-16", bmp(13, 9, 16, fives)
    yield "bmp-565", bmp(13, 9, 16, fives, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))


def pixels(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I"):
        return Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image).convert("RGB")
    return image.convert("RGB")


def checksum(values):
    """Enough to tell pictures from each other: the sum of bytes, each times its place modulo 251."""
    flat = numpy.asarray(values).astype(int).reshape(-1)
    return int((flat * (1 + numpy.arange(flat.size) % 251)).sum())


entries = []
for name, data in files():
    read = pixels(data)
    entry = {"name": name, "file": base64.b64encode(data).decode(), "size": [read.height, read.width]}
    if Image.open(io.BytesIO(data)).has_transparency_data:
        # Opacity is blended in another order, to within one of 255.
        entry["pixels"] = base64.b64encode(numpy.asarray(read).tobytes()).decode()
    else:
        entry |= {"rgb": checksum(read), "grey": checksum(read.convert("L"))}
    entries.append(entry)
result = {"background": BACKGROUND, "pictures": entries}
with open(FILE, "w") as file:
    file.write("{\n" + f'"background": {json.dumps(BACKGROUND)},\n"pictures": [\n')
    file.write(",\n".join(json.dumps(entry) for entry in entries) + "\n]\n}\n")
print(f"{len(entries)} pictures, {os.path.getsize(FILE)} bytes")
