import byThread from "../../shaders/loss_row_by_thread.wgsl" with { type: "text" };
import byWorkgroup from "../../shaders/loss_row_by_workgroup.wgsl" with { type: "text" };
import type { AdapterTraits } from "../backend/kernel.ts";
import { fillHoles } from "./header.ts";
import type { ShaderLaunch } from "./kernel.ts";
import { linear, LINEAR_WORKGROUP } from "./launch.ts";

/** Rows up to this length have a workgroup of 64 threads: more would wait for each other with little to add. */
const SHORT_ROW = 1024;
const LONG_ROW_WORKGROUP = 256;

/** Both forms of each shader, made once. */
const forms = new Map<string, string>();

function formOf(shader: string, rows: string, workgroup: number): string {
  const key = `${workgroup} ${rows}${shader}`;
  const known = forms.get(key);
  if (known !== undefined) return known;
  const made = fillHoles(`${rows}\n${shader}`, { WORKGROUP: `${workgroup}` });
  forms.set(key, made);
  return made;
}

/**
 * How a loss over rows runs: on a software adapter, which is slow at barriers, each row in a thread; on a GPU each row
 * in a workgroup, so that a row of thousands of classes is read in one stretch and by many.
 *
 * @param shader says what a row gives by `rowOf`, `laneOf`, `totalOfRow` and `largestOfRow`
 */
export function overLossRows(
  shader: string,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  adapter: AdapterTraits,
): ShaderLaunch {
  if (adapter.software) {
    return { shader: formOf(shader, byThread, LINEAR_WORKGROUP), workgroups: linear(rows, adapter) };
  }
  const long = columns > SHORT_ROW && adapter.maxWorkgroupInvocations >= LONG_ROW_WORKGROUP;
  const x = Math.min(Math.max(rows, 1), adapter.maxWorkgroupsPerDimension);
  return {
    shader: formOf(shader, byWorkgroup, long ? LONG_ROW_WORKGROUP : LINEAR_WORKGROUP),
    workgroups: [x, Math.ceil(Math.max(rows, 1) / x), 1],
  };
}
