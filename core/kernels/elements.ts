import type { AdapterTraits } from "../backend/kernel.ts";
import type { Lanes } from "./header.ts";
import type { VariedLaunch } from "./kernel.ts";
import { linear, threadsOver } from "./launch.ts";
import { overStrips, withTrees } from "./strips.ts";

/** How many channels of a row are taken at a time, and how many elements a row then has. */
export function elementsOf(channels: number): { readonly lanes: Lanes; readonly width: number } {
  const lanes = channels % 4 === 0 ? 4 : 1;
  return { lanes, width: channels / lanes };
}

/** A launch over `[rows, channels]` of a shader that makes `Two` sums of each chunk of rows for each element of one. */
export function perChunk(template: string) {
  const shader = withTrees(template, { sumOf: ["Two", "Two(x.first + y.first, x.second + y.second)"] });
  return (
    { channels, chunk, chunks }: { readonly channels: number; readonly chunk: number; readonly chunks: number },
    adapter: AdapterTraits,
  ): VariedLaunch => {
    const { lanes, width } = elementsOf(channels);
    return { shader, lanes, ...overStrips({ outer: chunks, length: chunk, inner: width }, adapter) };
  };
}

/** A launch over `[rows, channels]` whose threads take every n-th row, so that each stays with its channels. */
export function perElement(
  shader: string,
  { rows, channels }: { readonly rows: number; readonly channels: number },
  adapter: AdapterTraits,
): VariedLaunch {
  const { lanes, width } = elementsOf(channels);
  return { shader, lanes, workgroups: linear(Math.max(threadsOver(rows * width, adapter), width), adapter) };
}
