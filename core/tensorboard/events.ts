import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { DataType, EventSchema, type HistogramProtoSchema } from "./event_pb.ts";

/** When something was written down: the step, and the time in seconds since 1970. */
export interface Moment {
  readonly step: number;
  readonly time: number;
}

/** How finely a histogram is drawn. */
const BUCKETS = 30;

/** The first event of a file, by which readers know it. */
export function versionEvent(time: number): Uint8Array {
  return event({ wallTime: time, what: { case: "fileVersion", value: "brain.Event:2" } });
}

/** Numbers by tag, a curve each. */
export function scalarEvent(at: Moment, values: Readonly<Record<string, number>>): Uint8Array {
  return summary(
    at,
    Object.entries(values).map(([tag, value]) => ({ tag, value: { case: "simpleValue", value } })),
  );
}

/** How numbers are spread, by tag. */
export function histogramEvent(at: Moment, values: Readonly<Record<string, ArrayLike<number>>>): Uint8Array {
  return summary(
    at,
    Object.entries(values).map(([tag, numbers]) => ({ tag, value: { case: "histo", value: histogramOf(numbers) } })),
  );
}

/** A text in Markdown. */
export function textEvent(at: Moment, tag: string, text: string): Uint8Array {
  const tensor = {
    dtype: DataType.DT_STRING,
    tensorShape: { dim: [{ size: 1n }] },
    stringVal: [new TextEncoder().encode(text)],
  };
  const metadata = { pluginData: { pluginName: "text" } };
  return summary(at, [{ tag, metadata, value: { case: "tensor", value: tensor } }]);
}

type EventInit = MessageInitShape<typeof EventSchema>;
type Values = NonNullable<Extract<NonNullable<EventInit["what"]>, { case: "summary" }>["value"]["value"]>;

function summary({ step, time }: Moment, value: Values): Uint8Array {
  return event({ step: BigInt(step), wallTime: time, what: { case: "summary", value: { value } } });
}

function event(init: EventInit): Uint8Array {
  return toBinary(EventSchema, create(EventSchema, init));
}

/** Counts in equal parts from the least number to the greatest; a part's limit belongs to it. */
function histogramOf(numbers: ArrayLike<number>): MessageInitShape<typeof HistogramProtoSchema> {
  const values = Array.from(numbers);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const parts = max > min ? BUCKETS : 1;
  const bucketLimit = Array.from(
    { length: parts },
    (_, part) => part === parts - 1 ? max : min + (max - min) * (part + 1) / parts,
  );
  const bucket = new Array<number>(parts).fill(0);
  for (const value of values) bucket[bucketLimit.findIndex((limit) => value <= limit)]++;
  const sum = values.reduce((total, value) => total + value, 0);
  const sumSquares = values.reduce((total, value) => total + value * value, 0);
  return { min, max, num: values.length, sum, sumSquares, bucketLimit, bucket };
}
