/// <reference lib="dom" />
import assert from "node:assert/strict";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { Browser, ElementHandle, Page } from "puppeteer-core";
import type { Question } from "../../tasks/demo/messages.ts";
import { serveSite } from "../../tasks/demo/serve.ts";
import { buildSite, type Site } from "../../tasks/demo/site.ts";
import { CHECKOUT } from "../support/task.ts";
import type { Outcome } from "./outcome.ts";

/** Milliseconds that a training on a busy machine may take. */
const PATIENCE = 240_000;

/** The quickstart, cut down where its numbers do not matter. */
const shortened = (recipe: string) =>
  recipe.replace("  use: idx\n", "  use: idx\n  takeTrain: 960\n  takeTest: 200\n").replace("count: 800", "count: 160");

/** The same with so many steps. */
const withSteps = (recipe: string, steps: number) =>
  shortened(recipe).replace("epochs: 10", `epochs: 10\n  maxSteps: ${steps}`);

/** A page at work, and where it may put what it downloads. */
interface Visit {
  readonly page: Page;
  readonly folder: string;
}

type Check = (visit: Visit) => Promise<void>;

const text = (page: Page, selector: string) => page.$eval(selector, (found) => found.textContent ?? "");

const isShown = (page: Page, selector: string) =>
  page.$eval(selector, (found) => found instanceof HTMLElement && found.offsetParent !== null);

/** Waits until an element's text has something in it. */
async function waitFor(page: Page, selector: string, pattern: RegExp): Promise<string> {
  await page.waitForFunction(
    (selector, source) => new RegExp(source).test(document.querySelector(selector)?.textContent ?? ""),
    { timeout: PATIENCE, polling: 100 },
    selector,
    pattern.source,
  ).catch(async () => {
    const there = await text(page, selector), error = await text(page, "#recipe-error");
    throw new Error(`${selector} never said ${pattern}, but "${there}"; the error is "${error}"`);
  });
  return await text(page, selector);
}

async function changeRecipe(page: Page, change: (recipe: string) => string): Promise<void> {
  // It may be folded away.
  await page.$eval("#reset", (button) => (button as HTMLButtonElement).click());
  const recipe = await page.$eval("#recipe", (area) => (area as HTMLTextAreaElement).value);
  const changed = change(recipe);
  assert.notEqual(changed, recipe, "the recipe is changed");
  await page.$eval("#recipe", (area, changed) => void ((area as HTMLTextAreaElement).value = changed), changed);
}

/** Starts a run and waits for its end. */
async function train(page: Page, choice: "cpu" | "webgpu"): Promise<string> {
  await page.select("#choice", choice);
  await page.click("#start");
  const status = await waitFor(page, "#status", /^(?:Done|Stopped after|It ended)/);
  if (status.startsWith("It ended")) throw new Error(await text(page, "#recipe-error"));
  return status;
}

/** A cell of the results, as a number. */
const result = (page: Page, row: number, column: number) =>
  page.$eval(
    `#results tbody tr:nth-child(${row}) > :nth-child(${column + 1})`,
    (cell) => Number.parseFloat(cell.textContent!.replaceAll(",", "")),
  );

/** Chooses a file in an input. */
async function upload(page: Page, input: string, file: string): Promise<void> {
  await (await page.$(input) as ElementHandle<HTMLInputElement>).uploadFile(file);
}

/** The part of test images that a model is right about, in percent. */
async function exam(page: Page, who: "teacher" | "student"): Promise<number> {
  return Number.parseFloat(await waitFor(page, `#${who} .exam`, /test images right/));
}

/** Writes down the bytes of each picture that a model is asked about. */
async function noteQuestions(page: Page): Promise<void> {
  await page.evaluate(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (question: Question) {
      if (question.call === "classify") document.body.dataset.asked = String(question.args[1]);
      post.call(this, question);
    };
  });
}

/** The bytes of the last of them. */
const asked = async (page: Page) =>
  (await page.$eval("body", (body) => body.dataset.asked ?? "")).split(",").map(Number);

/** The bytes of a grey canvas. */
const greys = (page: Page, selector: string) =>
  page.$eval(selector, (found) => {
    const { width, height } = found as HTMLCanvasElement;
    const { data } = (found as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
    return [...data].filter((_, index) => index % 4 === 0);
  });

/** What the page says it computes on, with WebGPU and without. */
const MACHINE = /^(?:WebGPU: .+|no WebGPU adapter was found)\. Without it: WebAssembly SIMD.*, (\d+) threads?\.$/;

const isolated: Readonly<Record<string, Check>> = {
  "the page says what it computes on, with threads where its server isolates it": async ({ page }) => {
    const words = await text(page, "#machine");
    assert.equal(words.match(MACHINE)?.[1], String(Math.min(navigator.hardwareConcurrency, 8)), words);
  },
  "a mistake in the recipe is told with its line and column, and selected": async ({ page }) => {
    await changeRecipe(page, (recipe) => recipe.replace("learningRate: 0.2", "learningRat: 0.2"));
    await page.click("#start");
    const error = await waitFor(page, "#recipe-error", /recipe\.yaml:/);
    const [line, ...rest] = error.split("\n");
    const [, row, column] = line.match(/^recipe\.yaml:(\d+):(\d+): /)!.map(Number);
    assert.match(line, /learningRat.*learningRate/);
    assert.match(rest.join("\n"), /learningRat: 0\.2[^]*\^$/);
    const selected = await page.$eval("#recipe", (area) => {
      const { value, selectionStart } = area as HTMLTextAreaElement;
      const before = value.slice(0, selectionStart).split("\n");
      return [before.length, before.at(-1)!.length + 1];
    });
    assert.deepEqual(selected, [row, column]);
    await page.click("#reset");
    assert.equal(await isShown(page, "#recipe-error"), false);
  },
  "a test image is asked about by its own bytes, until it is drawn on": async ({ page }) => {
    const sample = "#samples button:nth-child(2)";
    await page.click("#clear");
    await noteQuestions(page);
    await page.click(sample);
    await waitFor(page, "#teacher .time", /^answered in/);
    const own = await greys(page, `${sample} canvas`);
    assert.deepEqual(await asked(page), own);
    assert.deepEqual(await greys(page, "#seen"), own);
    await page.focus("#pad");
    // The pen is put down in the middle, where it leaves a dot, and lifted.
    for (const key of [" ", " "] as const) await page.keyboard.press(key);
    const drawn = await asked(page);
    const middle = 14 * 28 + 14;
    assert.ok(drawn[middle] > own[middle] + 100, `${drawn[middle]} and ${own[middle]}`);
  },
  "two epochs of the quickstart train on the cpu, with curves, spectra and a verified student": async ({ page }) => {
    await page.type("#epochs", "2");
    const status = await train(page, "cpu");
    assert.match(status, /^Done after 114 steps in [\d.]+ s on cpu\. The merged student differs by \d\.\de-\d /);
    assert.ok(await result(page, 1, 1) > 88, "the teacher is the one that is shipped");
    assert.ok(await result(page, 1, 2) > 70, "the student has learned");
    assert.equal(await result(page, 4, 2), 19_810);
    assert.equal(await page.$eval("#accuracy", (figure) => figure.querySelectorAll("circle.point").length), 3);
    assert.match(await page.$eval("#loss > svg", (chart) => chart.ariaLabel!), /^Training loss: loss \d\.\d\d$/);
    const panels = await page.$$eval("#spectra .panels > div", (found) => found.map((panel) => panel.textContent!));
    assert.equal(panels.length, 6);
    assert.match(panels[0], /^layer1\.0\.conv1.*effective rank \d+\.\d\s→\s\d+\.\d$/);
    console.log(`  ${status} Test accuracy ${await result(page, 1, 2)} %, loss ${await result(page, 2, 2)}`);
  },
  "teacher and verified student answer test images, far above chance": async ({ page }) => {
    await page.click("#samples button:nth-child(2)");
    for (const who of ["teacher", "student"]) {
      await waitFor(page, `#${who} .time`, /^answered in [\d.]+ ms$/);
      assert.match(await text(page, `#${who} .classes li:first-child`), /^trouser/);
    }
    await page.click("#examine");
    const [teacher, student] = [await exam(page, "teacher"), await exam(page, "student")];
    assert.ok(teacher > 85 && student > 70, `${teacher} % and ${student} %`);
    console.log(`  ${await text(page, "#student .exam")}; the teacher ${await text(page, "#teacher .exam")}`);
  },
  "the student's folder is downloaded as a ZIP with config.json and weights": async ({ page, folder }) => {
    await page.click("#download");
    await waitFor(page, "#folder-status", /^Saved student\.zip with README\.md, config\.json, model\.safetensors and/);
    const zip = join(folder, "student.zip");
    const until = Date.now() + 10_000;
    while (Date.now() < until && !await Deno.stat(zip).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const files = unzipSync(await Deno.readFile(zip));
    const names = ["README.md", "config.json", "model.safetensors", "preprocessor_config.json"];
    assert.deepEqual(Object.keys(files).sort(), names.map((name) => `student/${name}`));
    assert.ok(files["student/model.safetensors"].length > 4 * 19_810);
  },
  "every control is reached by the Tab key, and the pad is drawn on by arrows and space": async ({ page }) => {
    await page.$eval("#recipe-part", (part) => void ((part as HTMLDetailsElement).open = true));
    const all = await page.$$eval(
      "button:enabled, select, input, textarea, summary, a, #pad",
      (found) => found.map((control, index) => (control as HTMLElement).dataset.place = `${index}`),
    );
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    const reached = new Set<string | undefined>();
    // Firefox goes on through its own controls, and begins with the element that was pressed last.
    for (let press = 0; press < 100 && !all.every((place) => reached.has(place)); press++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.place));
    }
    assert.deepEqual(all.filter((place) => !reached.has(place)), []);
    await page.click("#clear");
    await page.focus("#pad");
    for (const key of [" ", "ArrowDown", "ArrowDown", "ArrowRight"] as const) await page.keyboard.press(key);
    const bright = await page.$eval("#pad", (pad) => {
      const { data } = (pad as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, 280, 280);
      return data.filter((value, index) => index % 4 === 0 && value > 127).length;
    });
    assert.ok(bright > 300, `${bright} bright pixels`);
    await waitFor(page, "#teacher .time", /^answered in/);
  },
  "a picture of the user is asked about, dark on bright turned round": async ({ page, folder }) => {
    const url = await page.$eval("#samples button:nth-child(2) canvas", (sample) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [560, 700];
      const context = canvas.getContext("2d")!;
      context.fillStyle = "white";
      context.fillRect(0, 0, 560, 700);
      context.filter = "invert(1)";
      context.drawImage(sample as HTMLCanvasElement, 0, 70, 560, 560);
      return canvas.toDataURL("image/png");
    });
    const file = join(folder, "trousers.png");
    await Deno.writeFile(file, Uint8Array.fromBase64(url.slice(url.indexOf(",") + 1)));
    await page.click("#clear");
    await upload(page, "#picture", file);
    for (const who of ["teacher", "student"]) {
      await waitFor(page, `#${who} .time`, /^answered in/);
      assert.match(await text(page, `#${who} .classes li:first-child`), /^trouser/);
    }
  },
  "nothing scrolls sideways on a phone": async ({ page }) => {
    await page.setViewport({ width: 375, height: 800 });
    const wide = await page.evaluate(() => document.scrollingElement!.scrollWidth);
    assert.ok(wide <= 375, `${wide} pixels`);
    await page.setViewport({ width: 1100, height: 900 });
  },
};

const onGpu: Readonly<Record<string, Check>> = {
  "a few steps train on WebGPU, and the student answers there": async ({ page }) => {
    await changeRecipe(page, (recipe) => withSteps(recipe, 4));
    const status = await train(page, "webgpu");
    assert.match(status, /^Done after 4 steps in [\d.]+ s on webgpu\. The merged student differs by/);
    await page.click("#samples button:nth-child(2)");
    await waitFor(page, "#student .time", /^answered in/);
    assert.match(await text(page, "#teacher .classes li:first-child"), /^trouser/);
    console.log(`  ${status} Test accuracy ${await result(page, 1, 2)} %, loss ${await result(page, 2, 2)}`);
  },
};

const plain: Readonly<Record<string, Check>> = {
  "without isolation the page says so, and has one thread": async ({ page }) => {
    assert.match(
      await text(page, "#machine"),
      /, 1 thread \(one thread, as this server does not isolate the page\)\.$/,
    );
  },
  "the downloaded student is opened again, answers, and can be named in a recipe": async ({ page, folder }) => {
    await upload(page, "#files", join(folder, "student.zip"));
    const opened = /^Opened student as the student; recipes can name it as (kept\/\d+\/student)\.$/;
    const [, folderOfIt] = (await waitFor(page, "#folder-status", opened)).match(opened)!;
    assert.match(await text(page, "#student .model"), /^student, resnet, 19,810 parameters/);
    await page.click("#samples button:nth-child(2)");
    await waitFor(page, "#student .time", /^answered in/);
    assert.match(await text(page, "#student .classes li:first-child"), /^trouser/);
    await changeRecipe(
      page,
      (recipe) =>
        withSteps(recipe, 2).replace("depth: 20", "depth: 8")
          .replace("plugins/models/data/fashion-resnet20", folderOfIt),
    );
    assert.match(await train(page, "cpu"), /^Done after 2 steps in .* on cpu/);
    assert.match(await text(page, "#teacher .model"), /^student, resnet, 19,810 parameters/);
  },
  "a file that is no model is refused in a sentence, and the student stays": async ({ page, folder }) => {
    const wrong = join(folder, "notes.txt");
    await Deno.writeTextFile(wrong, "no model");
    await upload(page, "#files", wrong);
    const error = await waitFor(page, "#folder-error", /./);
    assert.equal(
      error,
      'Cannot open "notes" as a model: it has no config.json; choose the folder, or its files together',
    );
    assert.match(await text(page, "#student .model"), /^student, resnet/);
  },
  "a run that is stopped keeps a student, merged and verified; the one before is there until then": async (
    { page },
  ) => {
    await changeRecipe(page, shortened);
    await page.select("#choice", "cpu");
    await page.click("#start");
    await waitFor(page, "#log", /student: /);
    await page.click("#download");
    await waitFor(page, "#folder-status", /^Saved student\.zip/);
    await page.click("#stop");
    const status = await waitFor(page, "#status", /^(?:Done|Stopped after)/);
    assert.match(status, /^Stopped after \d+ steps in .* The merged student differs by/);
  },
};

/**
 * Visits the page of `deno task demo` as a person would.
 *
 * @param shots folder for screenshots, light and dark, wide and on a phone; `null`: none are made
 * @param gpu whether the browser has WebGPU
 */
export async function* demoOutcomes(
  browser: Browser,
  { shots, gpu }: { readonly shots: string | null; readonly gpu: boolean },
): AsyncGenerator<Outcome> {
  const site = await buildSite(CHECKOUT);
  const folder = await Deno.makeTempDir();
  if (shots !== null) await Deno.mkdir(shots, { recursive: true });
  try {
    yield* visit(browser, site, { isolated: true, folder, shots }, isolated);
    if (gpu) yield* visit(browser, site, { isolated: true, folder, shots: null }, onGpu);
    yield* visit(browser, site, { isolated: false, folder, shots: null }, plain);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Setting {
  readonly isolated: boolean;
  readonly folder: string;
  readonly shots: string | null;
}

async function* visit(
  browser: Browser,
  site: Site,
  { isolated, folder, shots }: Setting,
  checks: Readonly<Record<string, Check>>,
): AsyncGenerator<Outcome> {
  await using served = serveSite(site, { isolated });
  const context = await browser.createBrowserContext({ downloadBehavior: { policy: "allow", downloadPath: folder } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  page.on("pageerror", (error) => void complaints.push(String(error)));
  try {
    await page.setViewport({ width: 1100, height: 900 });
    const ready = async () => {
      await page.goto(served.address);
      await page.waitForSelector("body[data-state=ready]", { timeout: PATIENCE / 2 });
    };
    // A Firefox that is driven stops now and then for good when the page's worker starts a thread.
    await ready().catch(ready);
    const all: Readonly<Record<string, Check>> = {
      ...checks,
      [`the browser has nothing to complain of${isolated ? "" : " without isolation"}`]: () => {
        assert.deepEqual(complaints, []);
        return Promise.resolve();
      },
    };
    for (const [name, check] of Object.entries(all)) {
      const begin = performance.now();
      let message: string | null = null;
      try {
        await check({ page, folder });
      } catch (error) {
        message = error instanceof Error ? error.stack ?? error.message : String(error);
      }
      const status = message === null ? "passed" : "failed";
      yield { name: `demo: ${name}`, status, message, milliseconds: performance.now() - begin };
    }
    if (shots !== null) await shoot(page, shots);
  } finally {
    await context.close();
  }
}

async function shoot(page: Page, folder: string): Promise<void> {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const [name, width] of [["wide", 1100], ["phone", 375]] as const) {
      await page.setViewport({ width, height: 900 });
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      await page.screenshot({ path: join(folder, `${scheme}-${name}.png`) as `${string}.png`, fullPage: true });
    }
  }
}
