import type { Batch, HostTensor } from "../plugin/dataset.ts";
import { Session } from "./runtime/session.ts";
import type { WrittenModel } from "./write_graph.ts";

type Wiring = Pick<WrittenModel, "inputs" | "output">;

/** An ONNX file in onnxruntime, until it is disposed of. */
export class OnnxModel implements Disposable {
  readonly #session: Session;
  readonly #inputs: ReadonlyMap<string, string>;

  /** The name of what the model gives. */
  readonly output: string;

  /**
   * @param session is disposed of with it
   * @param wiring entries of a batch by the names of the file's inputs, and the name of what the model gives
   */
  constructor(session: Session, { inputs, output }: Wiring) {
    this.#session = session;
    this.#inputs = inputs;
    this.output = output;
  }

  /**
   * Loads a file's content.
   *
   * @throws RuntimeRefusal for what onnxruntime does not take
   */
  static async open(bytes: Uint8Array, wiring: Wiring): Promise<OnnxModel> {
    return new OnnxModel(await Session.open(bytes, new Map(), 1), wiring);
  }

  /** The entries of a batch that it takes. */
  get entries(): string[] {
    return [...this.#inputs.values()];
  }

  /** What it gives for a batch, images of which have their channels last. */
  run(batch: Batch<HostTensor>, outputs: readonly string[] = [this.output]): Map<string, HostTensor> {
    const feeds = new Map([...this.#inputs].map(([name, entry]) => {
      const tensor = batch[entry];
      return [name, tensor.shape.length === 4 ? channelsFirst(tensor) : tensor];
    }));
    return this.#session.run(feeds, outputs);
  }

  [Symbol.dispose](): void {
    this.#session.dispose();
  }
}

function channelsFirst({ data, shape: [count, height, width, channels] }: HostTensor): HostTensor {
  const pixels = height * width;
  const moved = new Float32Array(data.length);
  for (let image = 0; image < count; image++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        moved[(image * channels + channel) * pixels + pixel] = data[(image * pixels + pixel) * channels + channel];
      }
    }
  }
  return { data: moved, shape: [count, channels, height, width] };
}
