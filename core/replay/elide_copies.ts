import type { View } from "../backend/backend.ts";
import type { Call, CopyCall } from "../backend/program.ts";
import type { Notes } from "./notes.ts";

/** Calls without the copies that there is no need for. */
export interface ElidedCalls {
  readonly calls: readonly Call[];
  /** Temporaries that are made where they were copied to, and where that is. */
  readonly homes: ReadonlyMap<number, View>;
}

/**
 * Lets a body make a result where it would copy it to at the end, as it does with each gradient. That can be done where
 * the copy is the last use of the whole temporary, nothing looks at or changes the target in the meantime, and no
 * kernel would read and write parts of one storage, which WebGPU refuses.
 */
export function elideCopies(notes: Notes): ElidedCalls {
  const homes = new Map<number, View>();
  const removed = new Set<Call>();
  for (const call of notes.calls) {
    if ("kernel" in call || !mayMove(notes, call, homes, removed)) continue;
    homes.set(notes.numberOf(call.source.storage)!, call.target);
    removed.add(call);
  }
  return { calls: notes.calls.filter((call) => !removed.has(call)), homes };
}

function mayMove(
  notes: Notes,
  copy: CopyCall,
  homes: ReadonlyMap<number, View>,
  removed: ReadonlySet<Call>,
): boolean {
  const { source, target } = copy;
  const number = notes.numberOf(source.storage);
  if (number === null || notes.numberOf(target.storage) !== null) return false;
  const { length, constant } = notes.temporaries[number];
  const partial = source.offset !== 0 || source.length !== length;
  const elsewhere = number < notes.inputCount || notes.outputs.some(({ view }) => view.storage === source.storage);
  if (constant || partial || elsewhere) return false;

  let begun = false;
  let done = false;
  for (const call of notes.calls) {
    if (call === copy) done = true;
    if (call === copy || removed.has(call)) continue;
    const views = viewsOf(call);
    const touched = views.some(({ storage }) => storage === source.storage);
    if (touched && done) return false;
    begun ||= touched;
    if (!begun || done) continue;
    const beside = views.flatMap((view) => {
      const own = notes.numberOf(view.storage);
      const home = own === null ? view : homes.get(own);
      return home?.storage === target.storage ? [{ view, home }] : [];
    });
    if (beside.some(({ home }) => overlap(home, target))) return false;
    const written = writtenBy(call);
    const mixed = beside.some(({ view }) => written.includes(view)) ||
      written.some(({ storage }) => storage === source.storage);
    if (touched && beside.length > 0 && (mixed || !("kernel" in call))) return false;
  }
  return true;
}

const viewsOf = (call: Call): View[] => "kernel" in call ? Object.values(call.views) : [call.source, call.target];

const writtenBy = (call: Call): View[] =>
  "kernel" in call ? Object.keys(call.kernel.writes).map((name) => call.views[name]) : [call.target];

const overlap = (a: View, b: View): boolean => a.offset < b.offset + b.length && b.offset < a.offset + a.length;
