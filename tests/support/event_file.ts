import { fromBinary } from "@bufbuild/protobuf";
import { join } from "node:path";
import { type Event, EventSchema } from "../../core/tensorboard/event_pb.ts";
import { wholeRecords } from "../../core/tensorboard/records.ts";

/** TensorBoard's events of a run, as a reader would have them: by tag, in their order. */
export interface EventFile {
  readonly file: string;
  readonly first: Event;
  readonly scalars: Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;
  /** How many numbers each histogram is of, at its step. */
  readonly histograms: Readonly<Record<string, readonly (readonly [step: number, numbers: number])[]>>;
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

/** Reads the one event file of a run. */
export async function readEvents(run: string): Promise<EventFile> {
  const folder = join(run, "tensorboard");
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  if (names.length !== 1) throw new Error(`Expected one event file: got ${names.join(", ")}`);
  const file = join(folder, names[0]);
  const events = wholeRecords(await Deno.readFile(file)).map(({ content }) => fromBinary(EventSchema, content));
  const scalars: Record<string, [number, number][]> = {};
  const histograms: Record<string, [number, number][]> = {};
  const texts: Record<string, string[]> = {};
  for (const { step, what } of events) {
    for (const { tag, value } of what.case === "summary" ? what.value.value : []) {
      if (value.case === "simpleValue") (scalars[tag] ??= []).push([Number(step), value.value]);
      if (value.case === "histo") (histograms[tag] ??= []).push([Number(step), value.value.num]);
      if (value.case === "tensor") (texts[tag] ??= []).push(new TextDecoder().decode(value.value.stringVal[0]));
    }
  }
  return { file, first: events[0], scalars, histograms, texts };
}
