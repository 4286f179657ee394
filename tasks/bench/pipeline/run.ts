/**
 * Our own pipeline in several variants: `deno run tasks/bench/pipeline/run.ts CASE webgpu|cpu [--repeats=N]` prints one
 * line of JSON. Each variant has a backend of its own, so that its memory is counted alone. Where they fit into memory
 * together the variants take turns, so that a machine whose clock changes treats them alike.
 */
import "../../../core/deno/install.ts";
import type { Backend } from "../../../core/backend/backend.ts";
import { median } from "../../support/median.ts";
import { type Memory, openSession, type Session } from "./measure.ts";
import { type PipelineCase, type PipelineCaseName, pipelineCases } from "./variants.ts";

/** A variant as the table shows it. */
export interface PipelineRow extends Memory, Pick<Session, "first" | "images" | "parameters"> {
  readonly variant: string;
  /** Seconds of a step or evaluation, a number a sample. */
  readonly seconds: readonly number[];
  /** Its seconds for an image divided by those of the first variant: the median of the samples taken in turn. */
  readonly timesFirst: number;
  /** Its peak bytes divided by those of the first variant. */
  readonly memoryTimesFirst: number;
}

/** This script's output. */
export interface PipelineResult {
  readonly case: PipelineCaseName;
  readonly backend: Backend["name"];
  readonly rows: readonly PipelineRow[];
}

type Sampled = Omit<PipelineRow, "timesFirst" | "memoryTimesFirst">;

async function run(name: PipelineCaseName, backend: Backend["name"], samples: number): Promise<PipelineResult> {
  const own: PipelineCase = pipelineCases[name];
  const variants = own.variants.map((variant) => [variant.name, () => openSession(own, variant, backend)] as const);
  const sampled = own.large ? await inSequence(variants, samples) : await inTurns(variants, samples);
  const [first] = sampled;
  const rows = sampled.map((row) => ({
    ...row,
    timesFirst: median(row.seconds.map((seconds, i) => seconds / row.images / (first.seconds[i] / first.images))),
    memoryTimesFirst: row.peakBytes / first.peakBytes,
  }));
  return { case: name, backend, rows };
}

type Openers = readonly (readonly [name: string, open: () => Promise<Session>])[];

async function inTurns(variants: Openers, samples: number): Promise<Sampled[]> {
  const sessions: { variant: string; session: Session; seconds: number[] }[] = [];
  for (const [variant, open] of variants) sessions.push({ variant, session: await open(), seconds: [] });
  for (let i = 0; i < samples; i++) {
    for (const { session, seconds } of sessions) seconds.push(await session.sample());
  }
  const rows: Sampled[] = [];
  for (const { variant, session, seconds } of sessions) rows.push(await finished(variant, session, seconds));
  return rows;
}

async function inSequence(variants: Openers, samples: number): Promise<Sampled[]> {
  const rows: Sampled[] = [];
  for (const [variant, open] of variants) {
    const session = await open();
    const seconds: number[] = [];
    for (let i = 0; i < samples; i++) seconds.push(await session.sample());
    rows.push(await finished(variant, session, seconds));
  }
  return rows;
}

async function finished(variant: string, session: Session, seconds: number[]): Promise<Sampled> {
  const { first, images, parameters } = session;
  return { variant, first, images, parameters, seconds, ...await session.close() };
}

if (import.meta.main) {
  const [name, backend] = Deno.args as [PipelineCaseName, Backend["name"]];
  const samples = Number(Deno.args.find((argument) => argument.startsWith("--repeats="))?.split("=")[1] ?? 5);
  console.log(JSON.stringify(await run(name, backend, samples)));
  Deno.exit(0);
}
