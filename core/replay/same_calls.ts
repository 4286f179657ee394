import type { View } from "../backend/backend.ts";
import type { Call, KernelCall } from "../backend/program.ts";
import type { Notes } from "./notes.ts";

/**
 * Whether two runs of a body asked the device for the same: the same kernels and copies on the same memory in the same
 * order, with the same numbers, save that where one has the i-th random number that it drew the other has its own i-th.
 */
export function sameCalls(a: Notes, b: Notes): boolean {
  return a.calls.length === b.calls.length && a.seeds.length === b.seeds.length &&
    a.temporaries.length === b.temporaries.length &&
    a.temporaries.every(({ length, constant }, index) =>
      length === b.temporaries[index].length && sameNumbers(constant, b.temporaries[index].constant)
    ) &&
    a.outputs.length === b.outputs.length &&
    a.outputs.every(({ view }, index) => sameView(a, view, b, b.outputs[index].view)) &&
    a.calls.every((call, index) => sameCall(a, call, b, b.calls[index]));
}

/** Which random number a call's parameter is, counted from 0; `null` if it is none. */
export function drawnNumber({ seeds }: Notes, { kernel, parameters }: KernelCall, parameter: string): number | null {
  const index = kernel.parameters[parameter] === "seed" ? seeds.indexOf(parameters[parameter]) : -1;
  return index === -1 ? null : index;
}

function sameCall(a: Notes, one: Call, b: Notes, other: Call): boolean {
  if (!("kernel" in one)) {
    return !("kernel" in other) && sameView(a, one.source, b, other.source) && sameView(a, one.target, b, other.target);
  }
  if (!("kernel" in other) || one.kernel !== other.kernel) return false;
  for (const name in one.views) {
    if (!sameView(a, one.views[name], b, other.views[name])) return false;
  }
  for (const name in one.parameters) {
    const drawn = drawnNumber(a, one, name);
    if (drawn !== drawnNumber(b, other, name)) return false;
    if (drawn === null && !Object.is(one.parameters[name], other.parameters[name])) return false;
  }
  return true;
}

function sameView(a: Notes, one: View, b: Notes, other: View): boolean {
  const number = a.numberOf(one.storage);
  return one.offset === other.offset && one.length === other.length && one.format === other.format &&
    number === b.numberOf(other.storage) &&
    (number !== null || one.storage === other.storage);
}

function sameNumbers(a: ArrayLike<number> | null, b: ArrayLike<number> | null): boolean {
  if (!a || !b) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
