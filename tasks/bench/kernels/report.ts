import { findAdapter } from "../../../core/backend/webgpu/adapter.ts";
import { WebGpuBackend } from "../../../core/backend/webgpu/webgpu_backend.ts";
import { UserError } from "../../../core/errors.ts";
import { type Ceiling, measureCeiling } from "../ceiling.ts";
import { aligned, number } from "../table.ts";
import { BATCHES, type KernelCase, kernelCases } from "./cases.ts";
import { type KernelRow, measureKernel } from "./measure.ts";

/** The kernels of real networks on an adapter, held against what it can do at most. */
export interface KernelReport {
  readonly ceiling: Ceiling;
  /** Examples in a batch: fewer on a software adapter. */
  readonly batch: number;
  readonly rows: readonly KernelRow[];
}

/**
 * Measures every kernel case on the adapter that WebGPU gives.
 *
 * @param progress takes lines for people
 * @param cases which cases, by the batch; all by default
 * @throws UserError if there is no adapter
 */
export async function measureKernels(
  progress: (line: string) => void,
  cases: (batch: number) => readonly KernelCase[] = kernelCases,
): Promise<KernelReport> {
  const adapter = await findAdapter();
  if (!adapter) throw new UserError("Cannot measure kernels as no WebGPU adapter was found: doctor says what helps");
  progress("Measuring the adapter's ceilings");
  const ceiling = await measureCeiling();
  const backend = await WebGpuBackend.create(adapter);
  try {
    const { software } = backend.traits;
    const batch = software ? BATCHES.reduced : BATCHES.full;
    if (software) {
      progress(`A software adapter: batches of ${batch} instead of ${BATCHES.full}, and about two minutes`);
    }
    const rows: KernelRow[] = [];
    for (const kernelCase of cases(batch)) {
      progress(`Measuring ${kernelCase.network}: ${kernelCase.name}, ${kernelCase.size}`);
      rows.push(await measureKernel(backend, kernelCase, ceiling));
    }
    return { ceiling, batch, rows };
  } finally {
    await backend.close();
  }
}

const HEADER = [
  "network",
  "kernel",
  "size",
  "ms",
  "MB",
  "GFLOP",
  "GB/s",
  "GFLOPS",
  "of copy",
  "of peak",
  "dispatches",
  "",
];
/** Columns of words; the others are numbers, which stand right. */
const WORDS = new Set([0, 1, 2, 11]);

/** The report as lines of aligned columns, with the ceilings last and what the shares mean. */
export function kernelTable({ ceiling, batch, rows }: KernelReport): string[] {
  const none = HEADER.slice(3, -1).map(() => "-");
  const cells = rows.map((row) => {
    const { network, name, size, seconds, bytes, operations, dispatches, ofBandwidth, ofPeak, reason = "" } = row;
    const about = [network, name, size];
    if (seconds === undefined) return [...about, ...none, reason];
    return [
      ...about,
      number(1000 * seconds),
      number(bytes! / 1e6),
      number(operations! / 1e9),
      number(bytes! / seconds / 1e9),
      number(operations! / seconds / 1e9),
      percent(ofBandwidth!),
      percent(ofPeak!),
      `${dispatches}`,
      reason,
    ];
  });
  const [bandwidth, peak] = [number(ceiling.gigabytesPerSecond), number(ceiling.gflops)];
  const last = ["ceiling", ceiling.adapter, "", "-", "-", "-", bandwidth, peak, "100 %", "100 %", "-", ""];
  return [
    ...aligned([HEADER, ...cells, last], WORDS),
    `Batches of ${batch}. Shares are of the last row: of what a copying kernel moves, and of multiply-adds in registers.`,
    "They pass 100 % where numbers stay in a cache, and where Winograd's convolution needs fewer operations than counted.",
  ];
}

const percent = (part: number) => `${Math.round(100 * part)} %`;
