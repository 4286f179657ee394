import type { AdapterTraits } from "../backend/kernel.ts";
import type { Lanes } from "./header.ts";
import type { VariedLaunch } from "./kernel.ts";
import { linear, threadsOver } from "./launch.ts";

/** How many channels of a row are taken at a time, and how many elements a row then has. */
function elementsOf(channels: number): { readonly lanes: Lanes; readonly width: number } {
  const lanes = channels % 4 === 0 ? 4 : 1;
  return { lanes, width: channels / lanes };
}

/** A launch over `[rows, channels]` with a thread for each chunk of rows and element of a row. */
export function perChunk(shader: string) {
  return (
    { channels, chunks }: { readonly channels: number; readonly chunks: number },
    adapter: AdapterTraits,
  ): VariedLaunch => {
    const { lanes, width } = elementsOf(channels);
    return { shader, lanes, workgroups: linear(chunks * width, adapter) };
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
