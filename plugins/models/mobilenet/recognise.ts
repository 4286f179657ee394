import type { TensorShapes } from "../../../core/plugin/model.ts";
import { unwrapped } from "../wrappers.ts";
import { layOut, type Version, VERSIONS } from "./architecture.ts";
import { parametersOf } from "./parameters.ts";

/** Width multipliers that are tried, the usual first. */
const WIDTHS = [1, 0.75, 0.5, 0.35, 0.25, 1.25, 1.4, 1.3, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.5, 2];

/** The name here of a tensor in a file of PyTorch; `null` for what is not needed. */
export function ownName(name: string): string | null {
  const plain = unwrapped(name);
  return plain.endsWith(".num_batches_tracked") ? null : plain;
}

/** Shapes by the names here, without the last layer, whose rows are the classes. */
function bodyOf(shapes: Iterable<readonly [name: string, shape: readonly number[]]>, head: string): string {
  const own = [...shapes].flatMap(([stored, shape]) => {
    const name = ownName(stored);
    return name === null || name.startsWith(`${head}.`) ? [] : [`${name} ${shape.join()}`];
  });
  return own.sort().join("\n");
}

/** Whether weights are those of a network of a version and width. */
export function isOf(shapes: TensorShapes, version: Version, width: number): boolean {
  const architecture = layOut(version, width, 2);
  const channels = [...shapes].find(([name]) => ownName(name) === `${architecture.stem.names.conv}.weight`)?.[1][1];
  if (channels === undefined) return false;
  const expected = parametersOf(architecture, channels, 1, false).map(({ name, shape }) => [name, shape] as const);
  return bodyOf(shapes, architecture.head) === bodyOf(expected, architecture.head);
}

/** The version and width whose network has weights of these shapes; `null` if there is none. */
export function recognise(shapes: TensorShapes): { version: Version; width: number } | null {
  for (const version of VERSIONS) {
    const width = WIDTHS.find((width) => isOf(shapes, version, width));
    if (width !== undefined) return { version, width };
  }
  return null;
}
