import assert from "node:assert/strict";
import { calibration, type SubjectCalibration } from "../../../core/assess/calibration/calibration.ts";
import { calibrationScores } from "../../../core/assess/calibration/scores.ts";
import { fitTemperature } from "../../../core/assess/calibration/temperature.ts";
import { decisionsIn, type LabelledLogits, logitsOf } from "../../../core/assess/logits.ts";
import type { Subject } from "../../../core/assess/subject.ts";
import { Random } from "../../../core/data/random.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { cpu } from "../../support/backends.ts";
import { smallNetwork } from "../../support/subjects.ts";
import { calibrationOf, equalMassCalibration } from "../../../core/evaluate/metrics/calibration.ts";

/** Logits whose labels come true as often as their softmax says, by counting: each label stands for one example. */
function calibrated(): LabelledLogits {
  // 60, 30 and 10 of 100, then 45, 45 and 10 of 100.
  const groups = [[60, 30, 10], [45, 45, 10]];
  const rows = groups.flatMap((counts) =>
    counts.flatMap((count, label) => Array.from({ length: count }, () => ({ counts, label })))
  );
  return {
    logits: Float64Array.from(rows.flatMap(({ counts }) => counts.map((count) => Math.log(count)))),
    labels: Int32Array.from(rows, ({ label }) => label),
    classes: 3,
  };
}

const scaled = ({ logits, ...rest }: LabelledLogits, factor: number): LabelledLogits => {
  return { ...rest, logits: logits.map((logit) => factor * logit) };
};

const close = (own: number, right: number, by = 1e-12) =>
  assert.ok(Math.abs(own - right) <= by, `${own} is not ${right}`);

Deno.test("a perfectly calibrated table has an ECE of 0 in bins of either kind, and the NLL of its entropy", () => {
  const scores = calibrationScores(calibrated(), 1);
  close(scores.equalWidth.error, 0);
  close(scores.equalMass.error, 0);
  const entropy = (parts: number[]) => -parts.reduce((sum, part) => sum + part * Math.log(part), 0);
  close(scores.nll, (entropy([0.6, 0.3, 0.1]) + entropy([0.45, 0.45, 0.1])) / 2);
  // 1 - sum p^2 of each group.
  close(scores.brier, (1 - 0.46 + 1 - 0.415) / 2);
  close(scores.accuracy, 0.525);
});

Deno.test("scores of a table that is worked out by hand", () => {
  const given = { logits: Float64Array.of(Math.log(4), 0, 0, Math.log(3)), labels: Int32Array.of(0, 0), classes: 2 };
  const { nll, brier, equalWidth, equalMass, accuracy } = calibrationScores(given, 1);
  close(nll, -(Math.log(0.8) + Math.log(0.25)) / 2);
  close(brier, (2 * 0.2 ** 2 + 2 * 0.75 ** 2) / 2);
  close(equalWidth.error, (0.2 + 0.75) / 2);
  close(equalMass.error, (0.2 + 0.75) / 2);
  assert.equal(accuracy, 0.5);
});

Deno.test("the temperature of calibrated logits is 1, and k times as much of logits k times as large", () => {
  for (const factor of [1, 3, 0.2, 40]) {
    const temperature = fitTemperature(scaled(calibrated(), factor));
    assert.equal(typeof temperature, "number");
    close(temperature as number / factor, 1, 1e-8);
    const { nll } = calibrationScores(scaled(calibrated(), factor), temperature as number);
    close(nll, calibrationScores(calibrated(), 1).nll, 1e-10);
  }
});

Deno.test("no other temperature gives a smaller NLL", () => {
  const random = new Random(3);
  const [count, classes] = [200, 4];
  const labels = Int32Array.from({ length: count }, () => random.below(classes));
  const logits = Float64Array.from(
    { length: count * classes },
    (_, at) => 5 * random.normal() + (at % classes === labels[Math.floor(at / classes)] ? 4 : 0),
  );
  const given = { logits, labels, classes };
  const best = fitTemperature(given) as number;
  const least = calibrationScores(given, best).nll;
  for (const factor of [0.9, 0.99, 1.01, 1.1]) assert.ok(calibrationScores(given, best * factor).nll > least);
});

Deno.test("where no temperature is best, it is said why", () => {
  const given = { logits: Float64Array.of(2, 1, 0, 3), classes: 2 };
  assert.equal(fitTemperature({ ...given, labels: Int32Array.of(0, 1) }), "always right");
  assert.equal(fitTemperature({ ...given, labels: Int32Array.of(1, 0) }), "no better than chance");
});

Deno.test("bins of equal mass hold as many answers each, and equal probabilities stay together", () => {
  const distinct = Array.from({ length: 150 }, (_, at) => ({ p: (at + 1) / 151, right: at % 2 === 0 }));
  assert.deepEqual(equalMassCalibration(distinct)!.bins.map(({ count }) => count), Array(15).fill(10));
  const equal = Array.from({ length: 40 }, (_, at) => ({ p: 0.75, right: at < 30 }));
  for (const { error } of [equalMassCalibration(equal)!, calibrationOf(equal)!]) close(error, 0);
  // The order in which they are given does not count.
  const shuffled = new Random(1).shuffle([...distinct]);
  assert.deepEqual(equalMassCalibration(shuffled), equalMassCalibration(distinct));
  assert.equal(equalMassCalibration([]), null);
});

Deno.test("the temperature is fitted on the validation examples, and measured on the test examples", async () => {
  const backend = await cpu.open();
  const ops = createOps(backend);
  const network = smallNetwork(ops, 4, 120);
  const { logits, classes } = await logitsOf(ops, network, network.examples, { batchSize: 50 });
  const decided = decisionsIn(logits, classes);
  // Right about so many of ten.
  const rightIn = (tenths: number): Subject["examples"] => ({
    ...network.examples,
    batch: (indices) => ({
      ...network.examples.batch(indices),
      label: {
        data: Float32Array.from(indices, (at) => at % 10 < tenths ? decided[at] : (decided[at] + 1) % classes),
        shape: [indices.length],
      },
    }),
  });
  const subject: Subject = { ...network, examples: rightIn(6), validation: rightIn(9), temperature: 2 };
  const settings = { seed: 1, batchSize: 50, eps: null, epsL2: null, steps: 1, restarts: 1, most: null };
  const tokenizer = () => Promise.resolve(null);
  const call = { ops, subjects: [subject], teacher: null, settings, tokenizer, tell: () => {} } as const;
  const { result } = await calibration.assess(call);
  const [{ temperature, own, fitted }] = (result as { subjects: SubjectCalibration[] }).subjects;
  const [test, held] = [
    await logitsOf(ops, network, subject.examples, { batchSize: 50 }),
    await logitsOf(ops, network, subject.validation!, { batchSize: 50 }),
  ];
  assert.equal(temperature, fitTemperature(held));
  assert.notEqual(temperature, fitTemperature(test));
  assert.deepEqual([own, fitted], [calibrationScores(test, 2), calibrationScores(test, temperature!)]);
  await backend.close();
});
