import { fromBinary } from "@bufbuild/protobuf";
import { appendToFile, kindOfPath, makeFolderWithin, readUserFile, writeFileAtomically } from "../files.ts";
import { joined } from "../joined.ts";
import { dirname } from "../paths.ts";
import { eventFile } from "./event_file.ts";
import { EventSchema } from "./event_pb.ts";
import { histogramEvent, scalarEvent, textEvent, versionEvent } from "./events.ts";
import { frame, wholeRecords } from "./records.ts";

/** TensorBoard's file of a run: curves, histograms and texts, each at a step. */
export class EventLog {
  readonly #file: string;

  /**
   * @param folder the run folder
   * @param run the run's id, which the file's name ends with
   * @param clock seconds since 1970; a test gives its own
   */
  constructor(folder: string, run: string, private readonly clock: () => number = () => Date.now() / 1000) {
    this.#file = eventFile(folder, run);
  }

  /**
   * Begins anew, or keeps what there is up to the step that a resumed run continues from.
   *
   * @param texts what is written down at the beginning, as Markdown by tag
   */
  async open(keepUntilStep: number, texts: Readonly<Record<string, string>>): Promise<void> {
    const kept = keepUntilStep === 0 ? [] : await this.#until(keepUntilStep);
    const at = { step: 0, time: this.clock() };
    const begin = () =>
      [versionEvent(at.time), ...Object.entries(texts).map(([tag, text]) => textEvent(at, tag, text))].map(frame);
    await makeFolderWithin(dirname(this.#file));
    await writeFileAtomically(this.#file, joined(kept.length > 0 ? kept : begin()));
  }

  /** Writes a number for each curve. Those that are not finite are left out, as no chart has a place for them. */
  async scalars(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    const shown = Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
    if (Object.keys(shown).length > 0) await this.#write(scalarEvent({ step, time: this.clock() }, shown));
  }

  /** Writes how numbers are spread; of no numbers there is nothing to write. */
  async histograms(step: number, values: Readonly<Record<string, ArrayLike<number>>>): Promise<void> {
    const shown = Object.fromEntries(Object.entries(values).filter(([, numbers]) => numbers.length > 0));
    if (Object.keys(shown).length > 0) await this.#write(histogramEvent({ step, time: this.clock() }, shown));
  }

  async #write(event: Uint8Array): Promise<void> {
    await appendToFile(this.#file, frame(event));
  }

  async #until(step: number): Promise<Uint8Array[]> {
    if (await kindOfPath(this.#file) === null) return [];
    const records = wholeRecords(await readUserFile(this.#file, "TensorBoard's events"));
    return records.filter(({ content }) => fromBinary(EventSchema, content).step <= step).map(({ framed }) => framed);
  }
}
