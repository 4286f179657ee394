import assert from "node:assert/strict";
import type { ProgressLine } from "../../../core/distill/progress.ts";
import { isRewritable } from "../../../tasks/support/output.ts";
import { runReporter } from "../../../tasks/support/progress.ts";
import { Course, showBar, showProgress, sparkline } from "../../../tasks/support/progress_line.ts";
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
  const loss = progressAt(10).loss;
  const shown = (step: number, losses: number) => `\r${showBar(progressAt(step), Array(losses).fill(loss), 99)}\x1b[K`;
  assert.equal(out.text, `${shown(10, 1)}${shown(20, 2)}\r\x1b[Kepoch 1 is over\n${shown(30, 3)}\r\x1b[K`);
  // Whoever stops a run finds the line gone, also where its last step is still told.
  const before = out.text;
  reporter.progress(progressAt(40));
  assert.equal(out.text, before);
});

Deno.test("a terminal's line has a bar and the loss's course, and loses parts where there is no room", () => {
  const losses = [4, 3, 2, 1];
  const widths = [140, 101, 83, 70, 58, 50, 40, 20, 5, 0];
  assert.deepEqual(widths.map((columns) => showBar(progressAt(120), losses, columns)), [
    "██████░░░░░░░░░░  40 %  epoch 2/5  step 120/300  loss 0.7312  █▆▃▁  accuracy 81.02 %  1,234 examples/s  0:42 left",
    "██████░░░░░░░░░░  40 %  epoch 2/5  step 120/300  loss 0.7312  █▆▃▁  accuracy 81.02 %  0:42 left",
    "██████░░░░░░░░░░  40 %  epoch 2/5  loss 0.7312  █▆▃▁  accuracy 81.02 %  0:42 left",
    "██████░░░░░░░░░░  40 %  loss 0.7312  accuracy 81.02 %  0:42 left",
    "loss 0.7312  accuracy 81.02 %  0:42 left",
    "loss 0.7312  accuracy 81.02 %  0:42 left",
    "loss 0.7312  accuracy 81.02 %  0:42 left",
    "0:42 left",
    "0:42 ",
    "",
  ]);
});

Deno.test("on a terminal of any width the line stays one short of it", () => {
  for (let columns = 1; columns < 130; columns++) {
    const out = fakeOutput(columns);
    runReporter(out, out).progress(progressAt(10));
    const line = out.text.slice("\r".length, -"\x1b[K".length);
    assert.ok([...line].length <= columns - 1, `${columns}: ${line}`);
  }
});

Deno.test("the course begins anew with another run", () => {
  const out = fakeOutput(140);
  const reporter = runReporter(out, out);
  for (const [step, loss] of [[10, 2], [20, 1], [10, 5]]) reporter.progress({ ...progressAt(step), loss });
  assert.deepEqual(out.text.match(/[▁-█]+(?= {2}accuracy)/g), ["▁", "█▁", "▁"]);
});

Deno.test("a sparkline has eight levels from the least to the greatest, and means where there are many", () => {
  assert.equal(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 12), "▁▂▃▄▅▆▇█");
  assert.equal(sparkline([8, 8, 1, 1], 2), "█▁");
  assert.equal(sparkline([3, 3], 12), "▁▁");
  assert.equal(sparkline([NaN, 1, Infinity, 2], 12), "▁█");
  assert.equal(sparkline([], 12), "");
});

Deno.test("a course of any length is kept as equal means", () => {
  const course = new Course(4);
  for (let value = 1; value <= 9; value++) course.add(value);
  course.add(NaN);
  // Four means became two of two each, and these two of four: the ninth value is alone.
  assert.deepEqual(course.values, [2.5, 6.5, 9]);
});

Deno.test("a line is rewritten on no dumb terminal, in no CI, and not where NO_COLOR is set", () => {
  assert.equal(isRewritable(false), true);
  assert.equal(isRewritable(false, "xterm-256color", "false"), true);
  assert.equal(isRewritable(true, "xterm"), false);
  assert.equal(isRewritable(false, "dumb"), false);
  assert.equal(isRewritable(false, "xterm", "true"), false);
  assert.equal(isRewritable(false, "xterm", "1"), false);
  const plain = { ...fakeOutput(100), rewrites: false };
  let text = "";
  runReporter({ ...plain, line: (line) => void (text += `${line}\n`) }, plain).progress(progressAt(10));
  assert.equal(text, `${showProgress(progressAt(10))}\n`);
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

Deno.test("names in a line or a warning cannot end it", () => {
  const [out, warnings] = [fakeOutput(), fakeOutput()];
  const reporter = runReporter(out, warnings);
  reporter.line("the classes are a\nb");
  reporter.warning("c\x1b[2Jd");
  assert.deepEqual([out.text, warnings.text], ["the classes are a\\nb\n", "Warning: c\\u001b[2Jd\n"]);
});
