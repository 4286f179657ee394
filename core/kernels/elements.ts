import scalarShader from "../../shaders/elements_scalar.wgsl" with { type: "text" };
import vectorShader from "../../shaders/elements_vector.wgsl" with { type: "text" };
import type { AdapterTraits, Launch } from "../backend/kernel.ts";
import { linear, threadsOver } from "./launch.ts";

/** Channels of one element where they come in fours. */
const VECTOR = 4;

/** A shader over `[rows, channels]` that calls what it reads at a time an `Element`: four channels, or one. */
export interface RowShader {
  /** With a thread for each chunk of rows and element of a row. */
  perChunk(p: { readonly channels: number; readonly chunks: number }, adapter: AdapterTraits): Launch;
  /** With threads that take every n-th row, so that each stays with its channels. */
  perElement(
    p: { readonly rows: number; readonly channels: number },
    adapter: AdapterTraits,
    constants?: Launch["constants"],
  ): Launch;
}

/** Puts `Element` in front of a shader. Its function is `main`. */
export function overRows(shader: string): RowShader {
  const [scalars, vectors] = [scalarShader, vectorShader].map((elements) => [elements, shader].join("\n"));
  const variant = (channels: number) =>
    channels % VECTOR === 0 ? { code: vectors, width: channels / VECTOR } : { code: scalars, width: channels };
  return {
    perChunk({ channels, chunks }, adapter) {
      const { code, width } = variant(channels);
      return { code, entryPoint: "main", workgroups: linear(chunks * width, adapter) };
    },
    perElement({ rows, channels }, adapter, constants) {
      const { code, width } = variant(channels);
      const threads = Math.max(threadsOver(rows * width, adapter), width);
      return { code, entryPoint: "main", constants, workgroups: linear(threads, adapter) };
    },
  };
}
