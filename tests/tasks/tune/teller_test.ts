import assert from "node:assert/strict";
import type { ProgressLine } from "../../../core/distill/progress.ts";
import { LiveLines } from "../../../tasks/tune/live_lines.ts";
import { ranked, showScore, showWorth } from "../../../tasks/tune/show.ts";
import { Teller } from "../../../tasks/tune/teller.ts";
import { type FakeOutput, fakeOutput } from "../../support/fake_output.ts";

/** A text without its colours. */
// deno-lint-ignore no-control-regex
const plain = (text: string) => text.replaceAll(/\x1b\[\d+m/g, "");

/** What a terminal shows after a text with the sequences that are used: up, line start, erase to the end. */
function screen(text: string): string[] {
  const lines = [""];
  let row = 0;
  // deno-lint-ignore no-control-regex
  for (const [part] of plain(text).matchAll(/\x1b\[\d*[AKJ]|\r|\n|[^\x1b\r\n]+/g)) {
    // deno-lint-ignore no-control-regex
    const [, count, order] = /^\x1b\[(\d*)([AKJ])$/.exec(part) ?? [];
    if (order === "A") row -= Number(count);
    else if (order === "J") lines.length = row + 1, lines[row] = "";
    else if (order === "K") continue;
    else if (part === "\r") continue;
    else if (part === "\n") lines[++row] ??= "";
    else lines[row] = part;
  }
  return lines;
}

const line: ProgressLine = {
  step: 5,
  totalSteps: 10,
  epoch: 1,
  epochs: 2,
  loss: 0.5,
  accuracy: 0.8,
  examplesPerSecond: 1000,
  secondsLeft: 7,
};

function tellerOn(out: FakeOutput, quiet = false): Teller {
  return new Teller({
    out,
    warnings: out,
    quiet,
    resources: [1 / 3, 1],
    time: () => ({ used: 65, all: 600 }),
    metric: () => "accuracy",
  });
}

/** A search of two trials, the second of which is lost. */
function tellOf(teller: Teller): void {
  teller.phase("search");
  teller.begun("trial 0, 1/3");
  teller.progress(line);
  teller.ended({ trial: 0, rung: 0 }, {}, { score: 0.8 });
  teller.ended({ trial: 0, rung: 1 }, {}, { score: 0.875 });
  teller.warning("mind this");
  for (const what of ["trial 1, 1/3", "trial 11, 1/3", "trial 2, whole"]) teller.begun(what);
  teller.ended({ trial: 1, rung: 0 }, { start: "last" }, { lost: "its loss is not finite" });
}

Deno.test("on a terminal a table settles, warnings stand above it, and in the end it is gone", () => {
  const out = fakeOutput(60);
  const teller = tellerOn(out);
  tellOf(teller);
  assert.deepEqual(screen(out.text), [
    "Warning: mind this",
    "search: 1:05 of 10:00, 2 trials",
    "trial    1/3  whole  what it changes",
    "    0  80.00  87.50  the recipe as it is",
    "    1   lost         start: last",
    "> trial 11, 1/3; trial 2, whole",
    "  ",
    "",
  ]);
  teller.end();
  assert.deepEqual(screen(out.text), ["Warning: mind this", ""]);
});

Deno.test("elsewhere each evaluation is a line without control characters; quiet has warnings alone", () => {
  const out = fakeOutput();
  tellOf(tellerOn(out));
  assert.deepEqual(out.text.split("\n"), [
    "1:05 of 10:00: trial 0, 1/3: validation accuracy 80.00 %; the recipe as it is",
    "1:05 of 10:00: trial 0, whole: validation accuracy 87.50 %; the recipe as it is",
    "Warning: mind this",
    "1:05 of 10:00: trial 1, 1/3: lost: its loss is not finite; start: last",
    "",
  ]);
  const silent = fakeOutput(60);
  tellOf(tellerOn(silent, true));
  assert.equal(plain(silent.text), "Warning: mind this\n");
});

Deno.test("lines that are rewritten are cut to the terminal, so that each takes one", () => {
  const out = fakeOutput(10);
  const live = new LiveLines(out);
  live.show(["a line that is too long", "b"]);
  live.show(["c"]);
  assert.deepEqual(screen(out.text), ["c", ""]);
  assert.ok(out.text.startsWith("a line th\x1b[K\n"));
  live.clear();
  assert.deepEqual(screen(out.text), [""]);
});

Deno.test("a loss is told as it is, and what lowers it as worth", () => {
  assert.deepEqual([showScore(-0.25, "loss"), showScore(0.25, "f1"), showScore(null, "f1")], [
    "0.2500",
    "25.00",
    "lost",
  ]);
  assert.equal(
    showWorth({ value: 0.1, interval: [-0.05, 0.25], withinNoise: true }, "loss"),
    "+0.1000 [-0.0500, +0.2500]",
  );
  assert.equal(showWorth({ value: -0.1, interval: null, withinNoise: null }, "f1"), "-10.00");
  const trial = (trial: number, ...scores: (number | null)[]) => ({ trial, scores, configuration: {} });
  const order = ranked([trial(0, 0.5), trial(1, 0.4, 0.6), trial(2, 0.7), trial(3, null), trial(4, 0.5, null)]);
  assert.deepEqual(order.map(({ trial }) => trial), [1, 2, 0, 4, 3]);
});
