"""
Computes event_files.json: records of an event file as TensorBoard's own messages and writer give them.

    python3 tests/golden/event_files.py > tests/golden/event_files.json      (pip install tensorboard)
"""
import base64, io, json
import numpy as np
import tensorboard
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter


def record(**event):
    class Kept(io.BytesIO):
        def close(self):
            pass

    file = Kept()
    RecordWriter(file).write(Event(**event).SerializeToString())
    return base64.b64encode(file.getvalue()).decode()


def summary(step, *values):
    return record(wall_time=1234567890.5, step=step, summary=Summary(value=values))


VALUES = [0.5, 2.0, 3.25, 3.25, 6.5]
# The limits of 30 equal parts, as they are rounded where each is worked out by itself; the values lie within parts.
limits = [0.5 + 6.0 * part / 30 for part in range(1, 30)] + [6.5]
counts, _ = np.histogram(VALUES, bins=[0.5 - 1e-9] + [limit + 1e-9 for limit in limits])
histogram = HistogramProto(
    min=0.5, max=6.5, num=5, sum=sum(VALUES), sum_squares=sum(v * v for v in VALUES), bucket_limit=limits, bucket=counts
)
text = TensorProto(
    dtype=DT_STRING,
    tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    string_val=["# Tëxt\n".encode()],
)
print(json.dumps({
    "tensorboard": tensorboard.__version__,
    "version": record(wall_time=1234567890.5, file_version="brain.Event:2"),
    "scalars": summary(7, Summary.Value(tag="loss/total", simple_value=0.1), Summary.Value(tag="ä b", simple_value=-3)),
    "values": VALUES,
    "histogram": summary(300, Summary.Value(tag="spread", histo=histogram)),
    "text": summary(0, Summary.Value(
        tag="recipe",
        tensor=text,
        metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
    )),
}, indent=2))
