import assert from "node:assert/strict";
import { Random } from "../../../../core/data/random.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import type { LossSetup } from "../../../../core/plugin/loss.ts";
import { freshWeights } from "../../../../core/plugin/parameters.ts";
import { crossEntropy } from "../../../../plugins/losses/cross_entropy.ts";
import { mlp } from "../../../../plugins/models/stack/mlp.ts";
import { float64, testBackends, webgpu } from "../../../support/backends.ts";
import { imageData } from "../../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { providerOf } from "../../../support/providers.ts";
import { stepOf } from "../../../support/steps.ts";

const KERNELS = 3;
const NAMES = ["1.weight", "3.weight"];
const data = imageData([2, 2, 1], ["a", "b", "c"]);
const model = mlp.build(mlp.options(optionKit).parse({ widths: [6] }), data);
const batchOf = (seed: number) => ({
  image: { data: Float32Array.from(pseudoRandom(seed, 16)), shape: [4, 2, 2, 1] },
  label: { data: Float32Array.of(0, 1, 2, 1), shape: [4] },
});

testBackends("each step has a mix of its own, by seed, step and weight, for all of its batches", async (backend) => {
  const ops = createOps(backend);
  const initial = freshWeights(model, new Random(2));
  const held = new Map();
  for (const name of NAMES) {
    const provider = providerOf({ use: "majority", kernels: KERNELS }, name === "1.weight" ? [6, 4] : [3, 6])!;
    const place = { device: ops.device, random: new Random(0) };
    held.set(name, { provider, start: await provider.start(initial.get(name)!, place) });
  }
  const student = new Student(ops, model, held, initial);
  const loss = await crossEntropy.create({ labelSmoothing: 0, head: null, classWeights: null }, { data } as LossSetup);
  const optimiser = { use: "sgd", momentum: 0, learningRate: 1, weightDecay: 0 };
  const train = { schedule: { use: "constant" }, optimiser };
  const step = stepOf(ops, { student, losses: [{ name: "loss", weight: 1, loss }], train });
  const seen: string[] = [];
  let before = await student.cores.read();
  // Replayed from the fourth step on, where there was one batch, and of two batches at the end.
  for (let index = 0; index < 10; index++) {
    const batches = index < 6 ? [batchOf(index)] : [batchOf(index), batchOf(index + 50)];
    step.run(batches, { step: index, totalSteps: 10, stepsPerEpoch: 10 }, false);
    const after = await student.cores.read();
    for (const name of NAMES) {
      const [was, is] = [before, after].map((numbers) => numbers.get(`${name}#0`)!);
      const size = was.length / KERNELS;
      // Kernel j moves by its share of the gradient of the mix, so that all together move by the gradient.
      const moves = Float64Array.from(is, (value, at) => value - was[at]);
      const gradient = moves.slice(0, size).map((move, at) => move + moves[size + at] + moves[2 * size + at]);
      const shares = student.draw(new Random(0).split(index).split("weights")).get(name)!;
      assert.ok(gradient.some((value) => Math.abs(value) > 1e-3));
      assertClose(moves, moves.map((_, at) => shares[Math.floor(at / size)] * gradient[at % size]), 1e-6, name);
      seen.push(shares.join());
    }
    before = after;
  }
  assert.ok(step.counts.replays > 0, "some steps are replayed");
  assert.equal(new Set(seen).size, seen.length, "no mix comes twice");
}, [float64, webgpu]);
