import { parseArgs } from "node:util";
import { bundleSuite } from "./bundle.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { demoOutcomes } from "./demo.ts";
import type { Outcome } from "./outcome.ts";
import { serve } from "./serve.ts";
import { ALL_ROOMS, filesOf, KERNEL_ROOMS } from "./suite_files.ts";

/**
 * Each run's rooms and arguments, by what it is to show. A software adapter takes long to compile what hardware runs,
 * so that the kernels alone are tried so.
 */
const RUNS: Readonly<Record<string, { readonly rooms: readonly string[]; readonly args: readonly string[] }>> = {
  "as the adapter is": { rooms: ALL_ROOMS, args: ["--only=webgpu"] },
  "default limits, traits of hardware": {
    rooms: KERNEL_ROOMS,
    args: ["--limits=default", "--traits=hardware", "--only=webgpu"],
  },
};

/** How many of the slowest tests are told. */
const SLOWEST = 5;

/** Milliseconds after which a test that has said nothing is given up. */
const PATIENCE = 300_000;

const { only, screenshots } =
  parseArgs({ options: { only: { type: "string" }, screenshots: { type: "string" } } }).values;
const path = await findChromium();
if (path === null) {
  const needed = Deno.env.get("CI") === "true";
  console.log(
    `${needed ? "FAILED" : "skipped"}: no Chromium was found, which the tests in a browser need`,
  );
  Deno.exit(needed ? 1 : 0);
}

const folder = await Deno.makeTempDir();
const counts = { passed: 0, failed: 0, ignored: 0 };
try {
  const browser = await startChromium(path);
  await using _closing = { [Symbol.asyncDispose]: () => browser.close() };
  console.log(`${await browser.version()}`);
  if (only !== "page") {
    for (const [name, { rooms, args }] of Object.entries(RUNS)) {
      const suite = await bundleSuite(await filesOf(rooms), folder);
      await using served = serve({
        "/": () => Promise.resolve("<!doctype html><title>Tests</title>"),
        "/suite.js": () => Deno.readFile(suite),
      });
      await count(name, outcomes(browser, served.address, args));
    }
  }
  if (only !== "core") await count("the page", demoOutcomes(browser, screenshots ?? null));
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

/** Runs the suite in a worker of a page of its own, until it ends or a test has taken too long. */
async function outcomes(browser: Awaited<ReturnType<typeof startChromium>>, address: string, args: readonly string[]) {
  const page = await browser.newPage();
  const told: Outcome[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<string | null>();
  const last = () => told.at(-1)?.name ?? "the beginning";
  let patience: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(patience);
    patience = setTimeout(() => end(`nothing was heard for ${PATIENCE / 1000} s after "${last()}"`), PATIENCE);
  };
  try {
    await page.exposeFunction("tell", (outcome: Outcome | string | null) => {
      wait();
      if (outcome === null || typeof outcome === "string") end(outcome);
      else told.push(outcome);
    });
    wait();
    await page.goto(address);
    const query = new URLSearchParams(args.map((arg) => ["arg", arg]));
    await page.evaluate((source) => {
      const { tell } = globalThis as unknown as { tell(outcome: unknown): void };
      const worker = new Worker(source, { type: "module" });
      worker.onerror = ({ message }) => tell(message || "the module could not be loaded");
      worker.onmessage = ({ data }) => tell(data);
    }, `/suite.js?${query}`);
    const broken = await ended;
    if (broken !== null) told.push({ name: "the suite", status: "failed", message: broken, milliseconds: 0 });
    return told;
  } finally {
    clearTimeout(patience);
    await page.close();
  }
}
