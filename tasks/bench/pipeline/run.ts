/**
 * Our own pipeline in several variants: `deno run tasks/bench/pipeline/run.ts CASE webgpu|cpu [--repeats=N]` prints one
 * line of JSON. Each variant has a backend of its own, so that its memory is counted alone.
 */
import type { Backend } from "../../../core/backend/backend.ts";
import { openBackend } from "../../../core/backend/open_backend.ts";
import { median } from "../protocol.ts";
import { type Measured, measureVariant } from "./measure.ts";
import { type PipelineCase, type PipelineCaseName, pipelineCases } from "./variants.ts";

/** A variant as the table shows it. */
export interface PipelineRow extends Measured {
  readonly variant: string;
  /** Its seconds, for an image where images differ, divided by those of the first variant. */
  readonly timesFirst: number;
  /** Its peak bytes divided by those of the first variant. */
  readonly memoryTimesFirst: number;
}

/** What this script prints. */
export interface PipelineResult {
  readonly case: PipelineCaseName;
  readonly backend: Backend["name"];
  readonly rows: readonly PipelineRow[];
}

async function run(name: PipelineCaseName, backendName: Backend["name"], samples: number): Promise<PipelineResult> {
  const own: PipelineCase = pipelineCases[name];
  const rows: PipelineRow[] = [];
  for (const variant of own.variants) {
    const { backend } = await openBackend(backendName);
    const measured = await measureVariant(own, variant, backend, samples).finally(() => backend.close());
    const perImage = ({ seconds, images }: Measured) => median(seconds) / images;
    const first = rows[0] ?? measured;
    rows.push({
      variant: variant.name,
      ...measured,
      timesFirst: perImage(measured) / perImage(first),
      memoryTimesFirst: measured.peakBytes / first.peakBytes,
    });
  }
  return { case: name, backend: backendName, rows };
}

if (import.meta.main) {
  const [name, backend] = Deno.args as [PipelineCaseName, Backend["name"]];
  const samples = Number(Deno.args.find((argument) => argument.startsWith("--repeats="))?.split("=")[1] ?? 5);
  console.log(JSON.stringify(await run(name, backend, samples)));
  Deno.exit(0);
}
