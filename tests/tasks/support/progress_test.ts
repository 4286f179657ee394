import assert from "node:assert/strict";
import type { ProgressLine } from "../../../core/distill/progress.ts";
import { runReporter, showProgress } from "../../../tasks/support/progress.ts";
import { fakeOutput } from "../../support/fake_output.ts";

function progressAt(step: number): ProgressLine {
  return {
    step,
    totalSteps: 300,
    epoch: 2,
    epochs: 5,
    loss: 0.73124,
    accuracy: 0.8102,
    examplesPerSecond: 1234.4,
    secondsLeft: 42,
  };
}

/** A clock that a test sets. */
function handClock() {
  const clock = { now: 0, read: () => clock.now };
  return clock;
}

Deno.test("a progress line has loss, accuracy, speed and the time left", () => {
  assert.equal(
    showProgress(progressAt(20)),
    "epoch 2/5  step  20/300  loss 0.7312  accuracy 81.02 %  1,234 examples/s  0:42 left",
  );
});

Deno.test("in a file progress is a plain line every five seconds, and one at the end", () => {
  const [out, clock] = [fakeOutput(), handClock()];
  const reporter = runReporter(out, fakeOutput(), { clock: clock.read });
  for (const [time, step] of [[0, 10], [1, 20], [4.9, 30], [5, 40], [6, 300]]) {
    clock.now = time;
    reporter.progress(progressAt(step));
  }
  reporter.end();
  assert.deepEqual(out.text.match(/(?<=step +)\d+/g), ["10", "40", "300"]);
  assert.ok(!out.text.includes("\r") && !out.text.includes("\x1b"), "no control characters");
  assert.ok(out.text.endsWith("left\n"));
});

Deno.test("with --verbose every line stays, on a terminal too", () => {
  for (const out of [fakeOutput(), fakeOutput(100)]) {
    const reporter = runReporter(out, fakeOutput(), { verbose: true, clock: () => 0 });
    for (const step of [10, 20, 30]) reporter.progress(progressAt(step));
    reporter.end();
    assert.equal(out.text.split("\n").length, 4);
    assert.ok(!out.text.includes("\r"));
  }
});

Deno.test("on a terminal one line is rewritten, and makes room for facts and for the end", () => {
  const out = fakeOutput(100);
  const reporter = runReporter(out, out, { clock: () => 0 });
  reporter.progress(progressAt(10));
  reporter.progress(progressAt(20));
  reporter.line("epoch 1 is over");
  reporter.progress(progressAt(30));
  reporter.end();
  const shown = (step: number) => `\r${showProgress(progressAt(step))}\x1b[K`;
  assert.equal(out.text, `${shown(10)}${shown(20)}\r\x1b[Kepoch 1 is over\n${shown(30)}\r\x1b[K`);
});

Deno.test("on a narrow terminal the line is cut, so that it never wraps", () => {
  const out = fakeOutput(20);
  runReporter(out, out).progress(progressAt(10));
  assert.equal(out.text, "\repoch 2/5  step  10\x1b[K");
});

Deno.test("--quiet tells warnings alone", () => {
  const [out, warnings] = [fakeOutput(), fakeOutput()];
  const reporter = runReporter(out, warnings, { quiet: true });
  reporter.line("a fact");
  reporter.progress(progressAt(300));
  reporter.warning("the norm grew");
  reporter.end();
  assert.equal(out.text, "");
  assert.equal(warnings.text, "Warning: the norm grew\n");
});
