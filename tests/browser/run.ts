import { parseArgs } from "node:util";
import { BROWSERS, findBrowser, whyNoWebGpu } from "./browsers.ts";
import { bundleSuite } from "./bundle.ts";
import { demoOutcomes } from "./demo.ts";
import type { Outcome } from "./outcome.ts";
import { serve } from "./serve.ts";
import { filesOf } from "./suite_files.ts";
import { suiteOutcomes } from "./suite.ts";

/** How many of the slowest tests are told. */
const SLOWEST = 5;

const { browser: choice, only, screenshots } = parseArgs({
  options: {
    browser: { type: "string", default: "chromium" },
    only: { type: "string" },
    screenshots: { type: "string" },
  },
}).values;
const kind = BROWSERS[choice];
if (!kind) {
  console.error(`Cannot run the tests in --browser ${choice}: it is one of ${Object.keys(BROWSERS).join(", ")}`);
  Deno.exit(2);
}
const parts = ["core", "page", ...kind.runs.map(({ name }) => name)];
if (only !== undefined && !parts.includes(only)) {
  console.error(`Cannot run --only "${only}": it is one of ${parts.map((part) => `"${part}"`).join(", ")}`);
  Deno.exit(2);
}
/** Whether a part is asked for; `core` stands for all runs of the suite. */
const isAsked = (part: string) => only === undefined || only === part || only === "core" && part !== "page";
const needed = Deno.env.get("CI") === "true";
const path = await findBrowser(kind);
if (path === null) {
  console.log(`${needed ? "FAILED" : "skipped"}: no ${kind.name} was found, which the tests in a browser need`);
  Deno.exit(needed ? 1 : 0);
}

const folder = await Deno.makeTempDir();
const counts = { passed: 0, failed: 0, ignored: 0 };
try {
  const browser = await kind.start(path);
  await using _closing = { [Symbol.asyncDispose]: () => browser.close() };
  console.log(`${await browser.version()}`);
  await using blank = serve({ "/": () => Promise.resolve("<!doctype html><title>Tests</title>") });
  const lacking = await whyNoWebGpu(browser, blank.address);
  const skipped = lacking !== null && !needed;
  const runs = kind.runs.filter(({ name }) => isAsked(name));
  for (const run of runs) {
    if (skipped && run.args.includes("--only=webgpu")) {
      console.log(`${run.name}: skipped, as ${lacking}`);
      continue;
    }
    const suite = await bundleSuite(await filesOf(run.rooms), folder);
    await count(run.name, suiteOutcomes(run, suite, (address) => kind.visit(browser, path, address)));
  }
  if (isAsked("page")) {
    if (skipped) console.log(`the page on WebGPU: skipped, as ${lacking}`);
    await count("the page", demoOutcomes(browser, { shots: screenshots ?? null, gpu: !skipped }));
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
const failed = counts.failed > 0 || counts.passed === 0;
console.log(
  `${failed ? "FAILED" : "ok"} | ${counts.passed} passed | ${counts.failed} failed | ${counts.ignored} ignored`,
);
Deno.exit(failed ? 1 : 0);

/** Adds up how tests end. */
async function count(name: string, tests: Promise<Outcome[]> | AsyncIterable<Outcome>): Promise<void> {
  const begin = performance.now();
  const own = { passed: 0, failed: 0, ignored: 0 };
  const durations: (readonly [name: string, milliseconds: number])[] = [];
  for await (const { name, status, message, milliseconds } of "then" in tests ? await tests : tests) {
    durations.push([name, milliseconds]);
    own[status]++;
    counts[status]++;
    if (message !== null) console.log(`${name} ... FAILED\n${message}\n`);
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(`${name}: ${own.passed} passed, ${own.failed} failed, ${own.ignored} ignored (${seconds} s)`);
  durations.sort(([, a], [, b]) => b - a);
  for (const [test, milliseconds] of durations.slice(0, SLOWEST)) {
    console.log(`  ${(milliseconds / 1000).toFixed(1)} s ${test}`);
  }
}
