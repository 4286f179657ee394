import common from "../../shaders/crf_common.wgsl" with { type: "text" };
import { expAndLog } from "./exp_log.ts";
import type { Floats } from "../backend/backend.ts";
import type { AdapterTraits } from "../backend/kernel.ts";
import type { ShaderLaunch } from "./kernel.ts";

/** log(sum(exp(x))); the largest entry is taken out, so that no exponential overflows. */
export function logSumExp(x: Floats): number {
  let largest = x[0];
  for (let i = 1; i < x.length; i++) if (x[i] > largest) largest = x[i];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - largest);
  return largest + Math.log(sum);
}

/** Where the emissions of one sequence's positions begin, of those that the mask keeps, from the first to the last. */
export function scoredRows(mask: Floats, sequence: number, length: number, tags: number): number[] {
  const rows: number[] = [];
  for (let at = sequence * length; at < (sequence + 1) * length; at++) if (mask[at] !== 0) rows.push(at * tags);
  return rows;
}

/** A launch of one workgroup for each of `sequences`; the shader finds its own by `workgroupIndex`. */
export function perSequence(shader: string) {
  const whole = [expAndLog, common, shader].join("\n");
  return ({ sequences }: { readonly sequences: number }, adapter: AdapterTraits): ShaderLaunch => {
    const x = Math.min(sequences, adapter.maxWorkgroupsPerDimension);
    return { shader: whole, workgroups: [x, Math.ceil(sequences / x), 1] };
  };
}
