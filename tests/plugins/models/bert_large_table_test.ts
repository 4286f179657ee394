import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { parseSafetensors, readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { webgpu } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { recorder, stopAt, studentBytes } from "../../support/run_observers.ts";
import { type TinyOptions, tinyRun } from "../../support/tiny_run.ts";

/** Fewer numbers than the table of words has, and as many as everything else needs. */
const MOST = 256;

const recipe = (rest: string, train = "") => `
name: words
seed: 3
validation: { count: 8 }
dataset: { use: text-table, train: train.tsv, test: test.tsv, vocabularySize: 60, maxLength: 4 }
student: { use: bert, layers: 1, width: 8, heads: 2, ffn: 16, positions: 8, dropout: 0.1, attentionDropout: 0 }
${rest}
train: { epochs: 2, batchSize: 4, restoreBest: true, optimiser: { use: adamw, learningRate: 0.02 }${train} }
`;
const alone = "losses: [{ use: cross-entropy }]";
const taught = "teacher: { use: bert, weights: teacher/student }\nlosses: [{ use: kd }]";

const texts = (count: number) => {
  const lines = Array.from({ length: count }, (_, i) => {
    const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
    return `${i % 2 ? "fine" : "poor"} ${letters[i % 26]} ${letters[(3 * i + Math.floor(i / 26)) % 26]}\t${i % 2}`;
  });
  return `text\tlabel\n${lines.join("\n")}\n`;
};

async function withTexts(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "train.tsv"), texts(40));
    await Deno.writeTextFile(join(folder, "test.tsv"), texts(12));
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A run on the cpu backend, as it is or with small tensors alone. */
async function onCpu(folder: string, small: boolean, options: TinyOptions) {
  const backend = await CpuBackend.create();
  if (small) Object.assign(backend, { mostNumbers: MOST });
  try {
    return await tinyRun(folder, { ...options, backend });
  } finally {
    await backend.close();
  }
}

Deno.test("a student with a table that is held in ranges of rows is the same to the bit: trained, taught, resumed, frozen", async () => {
  await withTexts(async (folder) => {
    const teacher = { text: recipe(alone), output: "teacher" };
    const whole = await onCpu(folder, false, teacher);
    const before = await studentBytes(folder, "teacher");
    const words = parseSafetensors(before).tensors.get("bert.embeddings.word_embeddings.weight")!;
    assert.ok(sizeOf(words.shape) > MOST, `${words.shape}`);
    const { reporter, warnings } = recorder();
    const divided = await onCpu(folder, true, { ...teacher, reporter });
    assert.deepEqual(warnings.filter((line) => line.includes("word_embeddings")), [], "a loss depends on it");
    assert.deepEqual(await studentBytes(folder, "teacher"), before, "trained");
    assert.deepEqual(divided.student, whole.student);

    const student = { text: recipe(taught), output: "whole" };
    await onCpu(folder, false, student);
    const parts = { ...student, output: "parts" };
    await assert.rejects(onCpu(folder, true, { ...parts, signal: stopAt(5) }), Interrupted);
    const checkpoint = await readSafetensors(join(folder, "parts", "checkpoint", "state.safetensors"));
    assert.ok(checkpoint.tensors.has("plain.3") && checkpoint.tensors.has("plain.square.3"), "in several storages");
    await onCpu(folder, true, { ...parts, resume: true });
    assert.deepEqual(await studentBytes(folder, "parts"), await studentBytes(folder, "whole"), "taught and resumed");

    const frozen = {
      text: recipe(alone, ", layerRates: [{ layers: '*word_embeddings*', scale: 0 }]"),
      output: "frozen",
    };
    const sizes = [];
    const files = [];
    for (const small of [false, true]) {
      sizes.push((await onCpu(folder, small, frozen)).student.parametersTraining);
      files.push(await studentBytes(folder, "frozen"));
    }
    assert.deepEqual(sizes[1], sizes[0]);
    assert.deepEqual(files[1], files[0], "frozen");
  });
});

Deno.test({
  name: "a table that is held in ranges of rows trains alike (webgpu)",
  ignore: !webgpu.available,
  fn: () =>
    withTexts(async (folder) => {
      const students = [];
      for (const mostNumbers of [Infinity, MOST]) {
        const backend = await webgpu.open();
        Object.assign(backend, { mostNumbers: Math.min(backend.mostNumbers, mostNumbers) });
        try {
          await tinyRun(folder, { text: recipe(alone, ", maxSteps: 6"), backend });
        } finally {
          await backend.close();
        }
        const { tensors } = await readSafetensors(join(folder, "run", "student", "model.safetensors"));
        students.push(new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)])));
      }
      const [whole, divided] = students;
      for (const [name, numbers] of whole) assertClose(divided.get(name)!, numbers, 1e-5, name);
    }),
});
