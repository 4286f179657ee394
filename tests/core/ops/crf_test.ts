import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { viterbi } from "../../../core/ops/viterbi.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { allPaths, enumerate } from "./chain_paths.ts";

const all = [float64, ...backends];
const [length, tags] = [4, 3];
const emissions = gen([length, tags], 12);
const transitions = gen([tags, tags], 13);
const gold = [0, 1, 2, 1];

const sumOf = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((total, x) => total + x, 0);

/** The golden chain as a batch of one. */
const goldenChain = (ops: Ops): [emissions: Tensor, transitions: Tensor, mask: Tensor] => [
  ops.tensor(emissions, [1, length, tags]),
  ops.tensor(transitions, [tags, tags]),
  ops.full([1, length], 1),
];

testBackends("log Z, the gold path's score and the marginals have the golden values", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  const [e, t, mask] = goldenChain(ops);
  const [logZ] = await ops.crfLogPartition(e, t, mask).read();
  const [score] = await ops.crfScore(e, t, ops.tensor(gold, [1, length])).read();
  assertClose([logZ], [golden.crf_logZ], tolerance, "log Z");
  assertClose([score], [golden.crf_gold_score], tolerance, "score");
  assertClose([logZ - score], [golden.crf_nll], tolerance, "negative log-likelihood");
  const marginals = await ops.exp(ops.crfLogMarginals(e, t, mask)).read();
  assertClose(marginals.slice(0, tags), golden.crf_marg_row0, tolerance, "marginals of the first position");
  assert.deepEqual([...await viterbi(ops, e, t, mask).tags.read()], golden.crf_viterbi);
}, all);

testBackends("log Z and marginals of tags and pairs agree with a sum over all 81 paths", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  const expected = enumerate(emissions, transitions, length, tags);
  const [e, t, mask] = goldenChain(ops);
  const { loss, gradients } = ops.differentiate(() => ops.sum(ops.crfLogPartition(e, t, mask)), [e, t]);
  assertClose(await loss.read(), [expected.logPartition], tolerance, "log Z");
  assertClose(await gradients[0]!.read(), expected.marginals, tolerance, "gradient by emissions");
  assertClose(await gradients[1]!.read(), expected.pairs, tolerance, "gradient by transitions");
  assertClose(
    await ops.crfLogMarginals(e, t, mask).read(),
    expected.marginals.map(Math.log),
    tolerance,
    "log-marginals",
  );
}, all);

testBackends("the k best paths are the first k of all paths sorted by score", async (backend) => {
  const ops = createOps(backend);
  const sorted = allPaths(length, tags).map((path) => ({ path, score: scoreOf(path) })).sort((a, b) =>
    b.score - a.score
  );
  for (const k of [1, 3, 8]) {
    const found = ops.viterbi(...goldenChain(ops), k);
    assert.deepEqual([...await found.tags.read()], sorted.slice(0, k).flatMap(({ path }) => path), `${k} paths`);
    assertClose(await found.scores.read(), sorted.slice(0, k).map(({ score }) => score), 1e-5);
  }
}, all);

function scoreOf(path: readonly number[]): number {
  return path.reduce((sum, tag, t) => {
    const step = t === 0 ? 0 : transitions[path[t - 1] * tags + tag];
    return sum + emissions[t * tags + tag] + step;
  }, 0);
}

/** The golden chain of four positions among six others that must not count, whatever numbers stand there. */
async function scattered(ops: Ops, noise: number) {
  const mask = [0, 1, 0, 0, 1, 1, 0, 1, 0, 0];
  let k = 0;
  const spread = mask.flatMap((kept) => kept ? [...emissions.slice(tags * k, tags * ++k)] : [noise, -noise, noise / 2]);
  const e = ops.tensor(spread, [1, mask.length, tags]);
  const t = ops.tensor(transitions, [tags, tags]);
  const m = ops.tensor(mask, [1, mask.length]);
  const { loss, gradients } = ops.differentiate(() => ops.sum(ops.crfLogPartition(e, t, m)), [e, t]);
  const best = viterbi(ops, e, t, m, 2);
  const values = [
    loss,
    ...gradients.map((gradient) => gradient!),
    ops.crfLogMarginals(e, t, m),
    best.tags,
    best.scores,
  ];
  return { mask, values: await ops.read(values) };
}

testBackends("positions that the mask leaves out change nothing and have no gradient", async (backend) => {
  const ops = createOps(backend);
  const { mask, values: [loss, byEmissions, , marginals, path] } = await scattered(ops, 50);
  assertClose(loss, [golden.crf_logZ], 1e-5);
  mask.forEach((kept, t) => {
    if (kept) return;
    assert.deepEqual([...byEmissions.slice(tags * t, tags * t + tags)], [0, 0, 0]);
    assert.deepEqual([...marginals.slice(tags * t, tags * t + tags)], [0, 0, 0]);
    assert.deepEqual([path[t], path[mask.length + t]], [-1, -1]);
  });
  assert.deepEqual([...path.slice(0, mask.length)].filter((tag) => tag >= 0), golden.crf_viterbi);
  const quiet = await scattered(ops, 0);
  [loss, byEmissions, marginals].forEach((numbers, i) =>
    assert.deepEqual(numbers, quiet.values[[0, 1, 3][i]], "equal to the last bit")
  );
}, all);

testBackends("a chain of one position is a softmax, and an empty one has log Z 0 and no path", async (backend) => {
  const ops = createOps(backend);
  const e = ops.tensor([1, 2, 3, 7, 8, 9, 4, 5, 6, 1, 1, 1], [2, 2, 3]);
  const t = ops.tensor(transitions, [3, 3]);
  const mask = ops.tensor([1, 0, 0, 0], [2, 2]);
  const logZ = await ops.crfLogPartition(e, t, mask).read();
  assertClose(logZ, [Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)), 0], 1e-6);
  const marginals = await ops.crfLogMarginals(e, t, mask).read();
  const softmax = await ops.logSoftmax(ops.tensor([1, 2, 3])).read();
  assertClose(marginals, [...softmax, ...new Array(9).fill(0)], 1e-6);
  // Three tags at one position are three paths; a fourth is not there.
  const { tags: path, scores } = viterbi(ops, e, t, mask, 4);
  assert.deepEqual([...await path.read()], [2, -1, 1, -1, 0, -1, -1, -1, ...new Array(8).fill(-1)]);
  assertClose([...await scores.read()].map((x) => Math.max(x, -1)), [3, 2, 1, -1, -1, -1, -1, -1], 0);
}, all);

testBackends("long chains with large scores neither overflow nor lose their marginals", async (backend) => {
  const ops = createOps(backend);
  const positions = 600;
  const loud = gen([positions, tags], 21).map((x) => 80 * x);
  const [e, t] = [ops.tensor(loud, [1, positions, tags]), ops.tensor(transitions.map((x) => 30 * x), [tags, tags])];
  const mask = ops.full([1, positions], 1);
  const { gradients } = ops.differentiate(() => ops.sum(ops.crfLogPartition(e, t, mask)), [e, t]);
  const marginals = await gradients[0]!.read();
  for (let row = 0; row < positions; row++) {
    const sum = sumOf(marginals.slice(tags * row, tags * row + tags));
    assertClose([sum], [1], 1e-4, `the marginals of position ${row} sum to 1`);
  }
  const pairs = sumOf(await gradients[1]!.read());
  assertClose([pairs], [positions - 1], 1e-4, "expected transitions");
  const logMarginals = await ops.crfLogMarginals(e, t, mask).read();
  assert.ok(logMarginals.every((x) => Number.isFinite(x) && x < 1e-3));
}, all);

testBackends("chains of shapes that do not fit, of too many tags and paths are refused", (backend) => {
  const ops = createOps(backend);
  const [e, t, mask] = goldenChain(ops);
  assert.throws(() => ops.crfLogPartition(e, ops.full([3, 4], 0), mask), {
    name: "RangeError",
    message: "Cannot score chains with emissions [1, 4, 3], transitions [3, 4] and positions [1, 4]: " +
      "expected [batch, length, tags], [tags, tags] and [batch, length]",
  });
  assert.throws(() => ops.crfScore(e, t, ops.full([4], 0)), /positions \[4\]: expected/);
  assert.throws(() => ops.crfLogMarginals(ops.full([1, 1, 257], 0), ops.full([257, 257], 0), ops.full([1, 1], 1)), {
    message: "Cannot score chains of 257 tags: at most 256 are possible",
  });
  for (const paths of [0, 9, 1.5]) {
    assert.throws(() => viterbi(ops, e, t, mask, paths), {
      message: `Cannot find the ${paths} best paths: expected a whole number from 1 to 8`,
    });
  }
}, [float64]);
