import assert from "node:assert/strict";
import "../../../../core/deno/install.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { cachedOutputs, type CacheSetup, writeShard } from "../../../../core/distill/teacher/output_cache.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { gen } from "../../../golden/golden.ts";
import { outputs } from "../../../support/losses.ts";
import { assertClose } from "../../../support/numbers.ts";

const [CLASSES, TEMPERATURE] = [9, 2];

/** Texts of 5, 10, 15 and 20 tokens, of which every fifth has a label; of the others the teacher is all but sure. */
const LENGTHS = [10, 5, 20, 15];
const hasLabel = (token: number) => token % 5 === 2;

/** The logits of a text, `[tokens, classes]`: of tokens with a label small ones, of the others one large. */
function logitsOf(example: number): Float64Array {
  return gen([LENGTHS[example], CLASSES], 90 + example).map((value, at) => {
    const token = Math.floor(at / CLASSES);
    return hasLabel(token) ? (1 + example) * value : at % CLASSES === 0 ? 40 : value;
  });
}

function setupIn(folder: string, report: (line: string) => void, labelled = hasLabel): CacheSetup {
  return {
    folder,
    teacher: {
      model: { parameters: [], config: {}, fromForeign: () => null, forward: ({ batch }) => outputs(batch.logits) },
      weights: weightsFrom(new Map()),
    },
    wanted: new Set(["topLogits"]),
    train: {
      length: LENGTHS.length,
      labels: null,
      batch: (indices) => {
        const length = Math.max(...[...indices].map((example) => LENGTHS[example]));
        const padded = (width: number, at: (example: number, token: number, place: number) => number, rest: number) => {
          const data = new Float32Array(indices.length * length * width).fill(rest);
          indices.forEach((example, row) => {
            for (let place = 0; place < LENGTHS[example] * width; place++) {
              data[row * length * width + place] = at(example, Math.floor(place / width), place);
            }
          });
          return { data, shape: [indices.length, length, ...width > 1 ? [width] : []] };
        };
        return {
          logits: padded(CLASSES, (example, _token, place) => logitsOf(example)[place], 0),
          mask: padded(1, () => 1, 0),
          label: padded(1, (_example, token) => labelled(token) ? 3 : -1, -1),
        };
      },
    },
    batchSize: 3,
    origin: "test",
    topLogits: { count: 1, classes: CLASSES, temperatures: [TEMPERATURE] },
    report,
  };
}

function softmax(logits: ArrayLike<number>): number[] {
  const powers = Array.from(logits, (logit) => Math.exp(logit / TEMPERATURE));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const kl = (p: readonly number[], q: readonly number[]) =>
  p.reduce((sum, share, at) => sum + share * Math.log(share / q[at]), 0);

/** What is lost of kd for a student with logits from -3 to 3, in the mean over tokens with a label of some examples. */
function lostOf(examples: readonly number[]) {
  let [rows, rest, most, lost, range] = [0, 0, 0, 0, 0];
  for (const example of examples) {
    const teacher = logitsOf(example), student = gen([LENGTHS[example], CLASSES], 80).map((value) => 3 * value);
    for (let token = 0; token < LENGTHS[example]; token++) {
      if (!hasLabel(token)) continue;
      const of = (logits: Float64Array) => logits.subarray(token * CLASSES, (token + 1) * CLASSES);
      const largest = of(teacher).indexOf(Math.max(...of(teacher)));
      const others = [...of(student)].toSpliced(largest, 1);
      const [p, q] = [softmax(of(teacher)), softmax(of(student))];
      const coarse = (shares: readonly number[]) => [shares[largest], 1 - shares[largest]];
      rows++;
      rest += 1 - p[largest];
      most = Math.max(most, 1 - p[largest]);
      lost += TEMPERATURE ** 2 * (kl(p, q) - kl(coarse(p), coarse(q)));
      range = Math.max(range, Math.max(...others) - Math.min(...others));
    }
  }
  return { mean: rest / rows, most, lost: lost / rows, range };
}

/** The numbers in a line: in percent P in the mean and at most, and the bound's two. */
function told(lines: readonly string[]) {
  const line = lines.find((line) => line.startsWith("teacher: at temperature 2 "))!;
  const [mean, most] = [...line.matchAll(/([\d.]+) %/g)].map(([, number]) => Number(number) / 100);
  const [, constant, slope] = / kd loses at most ([\d.]+) \+ ([\d.]+) D/.exec(line)!.map(Number);
  return { mean, most, constant, slope };
}

Deno.test("where no token has a label, nothing is lost", async () => {
  const folder = await Deno.makeTempDir();
  const backend = await CpuBackend.create();
  const lines: string[] = [];
  try {
    await cachedOutputs(createOps(backend), setupIn(folder, (line) => lines.push(line), () => false));
  } finally {
    await backend.close();
    await Deno.remove(folder, { recursive: true });
  }
  assert.deepEqual(lines.slice(1), [
    "teacher: kept are the 1 largest of 9 logits, 10 bytes of 36",
    "teacher: no token of these examples has a label, so that nothing is learned of the logits",
  ]);
});

Deno.test("what is lost is told of the tokens with a label alone, as losses count these", async () => {
  const [whole, parts] = await Promise.all([1, 2].map(() => Deno.makeTempDir()));
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const check = (lines: readonly string[], examples: readonly number[]) => {
    const bound = told(lines), { mean, most, lost, range } = lostOf(examples);
    assertClose([bound.mean, bound.most, bound.slope], [mean, most, TEMPERATURE * mean], 6e-3);
    assert.ok(lost > 0.3 && lost <= bound.constant + bound.slope * range, `${lost} of ${JSON.stringify(bound)}`);
    assert.match(lines.join("\n"), / of the probability in the mean over the tokens with a label, /);
  };
  try {
    // Written, and read again.
    for (const way of ["written to", "read from"]) {
      const lines: string[] = [];
      await cachedOutputs(ops, setupIn(whole, (line) => lines.push(line)));
      assert.ok(lines.some((line) => line.includes(way)), lines.join("\n"));
      check(lines, [0, 1, 2, 3]);
    }
    for (const [index, examples] of [[1, [0, 1]], [2, [2, 3]]] as const) {
      const lines: string[] = [];
      await writeShard(ops, setupIn(parts, (line) => lines.push(line)), { index, of: 2 });
      check(lines, examples);
    }
  } finally {
    await backend.close();
    await Promise.all([whole, parts].map((folder) => Deno.remove(folder, { recursive: true })));
  }
});
