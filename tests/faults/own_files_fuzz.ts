import assert from "node:assert/strict";
import { join } from "node:path";
import type { Shown } from "../../core/assess/shown.ts";
import { toBase64 } from "../../core/byte_texts.ts";
import { Random } from "../../core/data/random.ts";
import { cachedOutputs, type CacheSetup } from "../../core/distill/teacher/output_cache.ts";
import { distill } from "../../core/distill/distill.ts";
import { loadData } from "../../core/distill/load_data.ts";
import { mergeCheckpoint } from "../../core/distill/merge_checkpoint.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { CHECKPOINT_FILE, checkRecipe, readCheckpoint } from "../../core/distill/training/checkpoint.ts";
import { decomposeMatrix } from "../../core/mpo/decompose.ts";
import { mergeOnHost } from "../../core/mpo/merge_chain.ts";
import { createOps } from "../../core/ops/ops.ts";
import { type Checked, parseChecked } from "../../core/recipe/checked.ts";
import { type Recipe, recipeSchema } from "../../core/recipe/schema.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import { encodeSafetensors, readSafetensors, toFloat32 } from "../../core/safetensors.ts";
import { builtins } from "../../plugins/builtins.ts";
import type { AssessReport } from "../../tasks/assess/report.ts";
import { readInputs } from "../../tasks/experiment/inputs.ts";
import { withOutputFolder } from "../../tasks/experiment/output_folder.ts";
import { readRun } from "../../tasks/report/read_run.ts";
import { runPage } from "../../tasks/report/run_page.ts";
import { canResume, diagnosticsIn, outcomeIn } from "../../tasks/experiment/run_folder.ts";
import { readSeries } from "../../tasks/experiment/read_series.ts";
import { readChain, writeChain } from "../../tasks/support/chain_file.ts";
import { tinyRecipe, writeTinyData } from "../support/tiny_run.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { inNewFolder, oneBackend } from "./model_folders.ts";
import { changedBytes, changedJson, changedText, oneOf } from "./mutations.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Bytes) => new TextDecoder().decode(bytes);

/** A finished run's folder with what trials need of it, and other files that this program writes. */
interface Written {
  /** The files of the run, by their paths in its folder. */
  readonly run: Readonly<Record<string, Bytes>>;
  /** The run's recipe with another run folder. */
  readonly recipe: (output: string) => Promise<Checked<Recipe>>;
  readonly chain: Bytes;
  /** Files of older versions, which have no checksum. */
  readonly oldChain: Bytes;
  readonly oldCheckpoint: Bytes;
  /** A cache of all logits, and one of the largest. */
  readonly caches: readonly [all: Bytes, largest: Bytes];
  readonly cacheSetup: (folder: string, largest: boolean) => CacheSetup;
}

let written: Promise<Written> | undefined;
const whole = () => written ??= writeAll();

/** An assessment with all that can be shown. */
function assessment(sha256: string): AssessReport {
  const settings = { seed: 1, batchSize: 8, eps: null, epsL2: [0.5], steps: 2, restarts: 1, most: 20 };
  const bins = [{ count: 3, certainty: 0.7, right: 0.6 }, { count: 1, certainty: 0.9, right: 1 }];
  const shown: Shown[] = [
    { kind: "table", title: "A table", header: ["", "eps"], rows: [["run", "90 %"]] },
    { kind: "note", text: "A sentence.", warning: true },
    { kind: "chart", title: "A chart", xLabel: "eps", lines: [{ name: "run", points: [[0, 0.9], [1, 0.5]] }] },
    { kind: "reliability", title: "run", calibration: { bins, error: 0.1 } },
    {
      kind: "pictures",
      title: "Pictures",
      pictures: [{ caption: "one", height: 1, width: 2, channels: 3, pixels: toBase64(new Uint8Array(6)) }],
    },
    { kind: "texts", title: "Texts", texts: [{ caption: "one", pieces: [{ text: "word", weight: 0.5 }] }] },
  ];
  return {
    ...{ version: "0.1.0", recipe: "tiny.yaml", backend: "cpu", device: "here", examples: 24, settings, teacher: null },
    subjects: [{ name: "run", folder: "run/student", architecture: "resnet", parameters: 9, sha256 }],
    sections: [{ name: "calibration", title: "Calibration", result: {}, shown }],
  };
}

/** The run's data stay where they are, as trials read them again. */
async function writeAll(): Promise<Written> {
  const home = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
  await writeTinyData(home);
  const text = tinyRecipe.replace("\ntrain: {", '\ntrain: { diagnostics: { layers: "layer1*" },').replace(
    "epochs: 5",
    "epochs: 1",
  );
  const recipe = async (output: string) => {
    const overrides = [{ path: ["output"], value: output, label: "test" }, "student.width=1", "backend=cpu"];
    const checked = parseChecked(text, join(home, "tiny.yaml"), recipeSchema, { overrides });
    await resolvePlugins(checked, builtins);
    return checked;
  };
  const backend = await oneBackend();
  await distill(await recipe(join(home, "run")), { backend, builtins, record: true });
  const run: Record<string, Bytes> = {};
  for (const name of ["metrics.json", "metrics.jsonl", "recipe.yaml", "record.json", CHECKPOINT_FILE]) {
    run[name] = await Deno.readFile(join(home, "run", name));
  }
  run["inputs.json"] = encode('{"data": {"train-images": "0"}, "weights": {}, "plug-in": {}}');
  run["assess.json"] = encode(JSON.stringify(assessment(JSON.parse(decode(run["metrics.json"])).studentSha256)));
  run["failure.json"] = encode('{"message": "the loss is not finite"}');
  const { chain } = await decomposeMatrix(Float32Array.from({ length: 36 }, (_, i) => i % 7), 6, 6, {
    rows: [3, 2],
    cols: [2, 3],
  });
  const file = join(home, "chain.safetensors");
  await writeChain(file, { tensor: "fc.weight", shape: [6, 6], chain }, "balanced");
  const plain = await readSafetensors(file);
  const { tensors, metadata } = await readSafetensors(join(home, "run", CHECKPOINT_FILE));
  const numbers = (stored: typeof tensors) =>
    new Map([...stored].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }]));
  const { dataset: { splits: { train } } } = await loadData(
    await recipe(join(home, "run")),
    (await resolvePlugins(await recipe(join(home, "run")), builtins)).dataset,
    new Random(1),
  );
  const cacheSetup = (folder: string, largest: boolean): CacheSetup => ({
    folder,
    topLogits: largest ? { count: 2, classes: 3, temperatures: [4] } : null,
    teacher: {
      model: {
        parameters: [],
        config: {},
        fromForeign: () => null,
        forward: ({ ops, batch }: { ops: ReturnType<typeof createOps>; batch: Record<string, unknown> }) => ({
          logits: ops.full([(batch.image as { shape: number[] }).shape[0], 3], 0.5),
          features: {},
          hidden: [],
          attention: [],
          pooled: ops.full([(batch.image as { shape: number[] }).shape[0], 3], 0.25),
        }),
      },
      weights: { get: () => null, dispose: () => {} },
    } as unknown as CacheSetup["teacher"],
    wanted: new Set([largest ? "topLogits" : "logits"]),
    train,
    batchSize: 64,
    origin: "test",
    report: () => {},
  });
  const cached = async (folder: string, largest: boolean): Promise<Bytes> => {
    await cachedOutputs(createOps(backend), cacheSetup(folder, largest));
    const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
    return await Deno.readFile(join(folder, name));
  };
  const caches = [await cached(join(home, "cache"), false), await cached(join(home, "largest"), true)] as const;
  return {
    run,
    recipe,
    chain: await Deno.readFile(file),
    oldChain: encodeSafetensors(numbers(plain.tensors), { format: "opdf-chain", chain: plain.metadata.chain }),
    oldCheckpoint: encodeSafetensors(numbers(tensors), { position: metadata.position }),
    caches,
    cacheSetup,
  };
}

/** A safetensors file hurt in its bytes, its header, or in the JSON that stands in its metadata. */
function hurtTensors(bytes: Bytes, random: Random): Bytes {
  if (random.below(2) === 0) return changedBytes(bytes, random);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(decode(bytes.subarray(8, 8 + length)));
  const { __metadata__: metadata } = header;
  const key = oneOf(random, Object.keys(metadata));
  const hurt = random.below(3);
  if (hurt === 0) metadata[key] = decode(changedText(metadata[key], random));
  else if (hurt === 1 && /^[[{]/.test(metadata[key])) {
    metadata[key] = JSON.stringify(changedJson(JSON.parse(metadata[key]), random)) ?? "";
  }
  const changed = encode(JSON.stringify(hurt === 2 ? changedJson(header, random) : header) ?? "");
  const file = new Uint8Array(8 + changed.length + bytes.length - 8 - length);
  new DataView(file.buffer).setBigUint64(0, BigInt(changed.length), true);
  file.set(changed, 8);
  file.set(bytes.subarray(8 + length), 8 + changed.length);
  return file;
}

/** A JSON file, JSON lines or YAML hurt. */
function hurtText(name: string, bytes: Bytes, random: Random): Bytes {
  if (name.endsWith(".yaml") || random.below(3) === 0) return changedText(decode(bytes), random);
  if (!name.endsWith(".jsonl")) return encode(JSON.stringify(changedJson(JSON.parse(decode(bytes)), random)) ?? "");
  const lines = decode(bytes).trimEnd().split("\n");
  const line = random.below(lines.length);
  return encode(lines.with(line, JSON.stringify(changedJson(JSON.parse(lines[line]), random)) ?? "").join("\n"));
}

/** A checkpoint that --resume and merge read; an undamaged one is of this very run. */
export const checkpointFuzz: Campaign = {
  name: "broken checkpoints",
  quick: 100,
  async trial(seed) {
    const random = new Random(seed).split("checkpoint");
    const { run, oldCheckpoint, recipe } = await whole();
    const isOld = random.below(3) === 0;
    const bytes = hurtTensors(isOld ? oldCheckpoint : run[CHECKPOINT_FILE], random);
    return await inNewFolder(async (folder) => {
      const file = join(folder, "state.safetensors");
      await Deno.writeFile(file, bytes);
      const own = await recipe(join(folder, "run"));
      return await answered(folder, async () => {
        const checkpoint = await readCheckpoint(file);
        checkRecipe(checkpoint, own.value, "resume from");
        if (checkpoint.checked) {
          const before = await readSafetensors(file);
          assert.equal(before.metadata.format, "opdf-checkpoint");
        }
        if (random.below(8) > 0) return;
        const to = join(folder, "student");
        await mergeCheckpoint(own, file, to, { backend: await oneBackend(), builtins });
      });
    });
  },
};

/** Chains that decompose --out wrote. */
export const chainFuzz: Campaign = {
  name: "broken chains",
  quick: 500,
  async trial(seed) {
    const random = new Random(seed).split("chain");
    const { chain, oldChain } = await whole();
    const bytes = hurtTensors(oneOf(random, [chain, oldChain]), random);
    return await inNewFolder(async (folder) => {
      const file = join(folder, "chain.safetensors");
      await Deno.writeFile(file, bytes);
      return await answered(folder, async () => {
        const { shape, chain } = await readChain(file);
        const merged = mergeOnHost(chain);
        assert.equal(merged.length, shape.reduce((product, extent) => product * extent, 1));
      });
    });
  },
};

/** The teacher's outputs on disk: whatever is there, those that come back are the right ones. */
export const cacheFuzz: Campaign = {
  name: "broken teacher caches",
  quick: 100,
  async trial(seed) {
    const random = new Random(seed).split("cache");
    const { caches, cacheSetup } = await whole();
    const largest = random.below(2) === 1;
    return await inNewFolder(async (folder) => {
      const backend = await oneBackend();
      const setup = cacheSetup(folder, largest);
      await cachedOutputs(createOps(backend), setup);
      const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
      await Deno.writeFile(join(folder, name), hurtTensors(caches[largest ? 1 : 0], random));
      return await answered(folder, async () => {
        const { outputs, tree } = await cachedOutputs(createOps(backend), setup);
        const { length } = setup.train;
        const expected: Record<string, readonly [numbers: number[], extents: number[], kind: unknown]> = largest
          ? {
            "topLogits.classes": [[0, 1], [2], Uint16Array],
            "topLogits.values": [[0.5, 0.5], [2], Float32Array],
            "topLogits.rest.4": [[0.125], [], Float32Array],
          }
          : { logits: [[0.5, 0.5, 0.5], [3], Float32Array] };
        assert.deepEqual([...outputs.keys()].sort(), Object.keys(expected).sort());
        assert.equal(Object.keys(tree).join(), largest ? "topLogits" : "logits");
        for (const [name, [numbers, own, kind]] of Object.entries(expected)) {
          const { data, extents, shared } = outputs.get(name)!;
          assert.deepEqual([data.length, extents, shared], [length * numbers.length, own, false]);
          assert.equal(data.constructor, kind);
          assert.ok(data.every((number, i) => number === numbers[i % numbers.length]));
        }
      });
    });
  },
};

/** What compare and --resume read back of a run folder, and experiment files. */
export const runFolderFuzz: Campaign = {
  name: "broken run folders",
  quick: 150,
  async trial(seed) {
    const random = new Random(seed).split("run");
    const { run, recipe } = await whole();
    const { "failure.json": failure, [CHECKPOINT_FILE]: _state, ...finished } = run;
    const failed = { "failure.json": failure, "inputs.json": run["inputs.json"], "recipe.yaml": run["recipe.yaml"] };
    const files: Record<string, Bytes> = oneOf(random, [finished, failed]);
    const hurt = oneOf(random, Object.keys(files));
    return await inNewFolder(async (folder) => {
      for (const [name, bytes] of Object.entries(files)) {
        await Deno.writeFile(join(folder, name), name === hurt ? hurtText(name, bytes, random) : bytes);
      }
      const own = await recipe(folder);
      return await answered(folder, async () => {
        const outcome = await outcomeIn(own);
        if (outcome && "summary" in outcome) {
          assert.ok(
            Object.values(outcome.summary.student.metrics).every((value) => value === null || value === +value),
          );
          for (const { matrices } of outcome.diagnostics) assert.equal(typeof matrices, "object");
        } else if (outcome) assert.equal(typeof outcome.failure, "string");
        await readInputs(folder);
        await diagnosticsIn(folder);
        await canResume(own, () => {});
        assert.match(runPage(await readRun(folder)), /<\/html>\n$/);
        if (hurt === "recipe.yaml") await readRecipe(join(folder, hurt));
      });
    });
  },
};

const EXPERIMENT = `name: study
base: tiny.yaml
seeds: [1, 2]
baseline: plain
rows:
  plain: {}
  wide: { student: { width: 8 }, "losses[0].weight": 2 }
  other: tiny.yaml
tune: { key: train.optimiser.learningRate, values: [0.1, 0.01], seeds: [1] }
`;

/** Experiment files, series of them, and the mark in an experiment's folder. */
export const experimentFuzz: Campaign = {
  name: "broken experiment files",
  quick: 150,
  async trial(seed) {
    const random = new Random(seed).split("experiment");
    const files: Record<string, Bytes> = {
      "study.yaml": encode(EXPERIMENT),
      "series.yaml": encode("experiments: [study.yaml]\n"),
      "tiny.yaml": encode(tinyRecipe),
      "experiment.json": encode('{"experiment": "study"}'),
    };
    const hurt = oneOf(random, Object.keys(files));
    files[hurt] = hurtText(hurt, files[hurt], random);
    return await inNewFolder(async (folder) => {
      for (const [name, bytes] of Object.entries(files)) await Deno.writeFile(join(folder, name), bytes);
      return await answered(folder, async () => {
        for (const { rows, seeds } of await readSeries([join(folder, "series.yaml")])) {
          assert.ok(rows.length > 0 && seeds.every(Number.isSafeInteger));
          for (const row of rows) row.recipe([{ path: ["seed"], value: 1, label: "test" }]);
        }
        const marked = join(folder, "marked");
        await Deno.mkdir(marked);
        await Deno.writeFile(join(marked, "experiment.json"), files["experiment.json"]);
        await withOutputFolder(marked, "study", () => Promise.resolve());
      });
    });
  },
};
