"""ONNX Runtime on the CPU: `python3 onnx_runtime.py MODEL [--repeats=N]`, for onnx.ts.

Answers the images of workload.ts's case `inference` and prints the line of JSON that the other peers print; ends with
code 69 where the library is missing.
"""

import json
import math
import sys

from hashed import hashed
from protocol import UNAVAILABLE, cores, timed

try:
    import numpy as np
    import onnxruntime
except ImportError:
    onnxruntime = None

BATCH, IMAGE = 128, 28


class Inference:
    size, flops = BATCH, None

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        images = np.asarray(hashed(9, BATCH * IMAGE * IMAGE, math.sqrt(3)), dtype=np.float32)
        self.feeds = {"pixel_values": images.reshape(BATCH, 1, IMAGE, IMAGE)}

    def step(self):
        (self.logits,) = self.session.run(["logits"], self.feeds)

    def sync(self):
        return float(self.logits[0, 0])


def main():
    if onnxruntime is None:
        print("onnxruntime is not installed in this Python", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    _, result, _ = timed(lambda: Inference(sys.argv[1]))
    version = onnxruntime.__version__
    print(json.dumps({"case": "inference", **result, "engine": "ONNX Runtime CPU", "version": version}))


if __name__ == "__main__":
    main()
