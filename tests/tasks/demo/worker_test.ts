/// <reference lib="dom" />
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FILES } from "../../../tasks/demo/site.ts";
import type { Calls, FolderFile, Question, Reply } from "../../../tasks/demo/messages.ts";
import "../../../tasks/demo/worker.ts";

// The worker, in this thread: its site is the checkout, and its page is the test.

const CHECKOUT = new URL("../../../", import.meta.url);
const SITE = new URL("tasks/demo/", CHECKOUT).href;

const waiting = new Map<number, PromiseWithResolvers<unknown>>();
const worker = Object.assign(globalThis as unknown as { onmessage(event: { readonly data: Question }): void }, {
  async fetch(url: URL): Promise<Response> {
    const path = url.href.slice(SITE.length);
    if (path === "files.json") return Response.json(FILES);
    return new Response(await Deno.readFile(fileURLToPath(new URL(path.slice("files/".length), CHECKOUT))));
  },
  postMessage(reply: Reply): void {
    if (reply.id === null) return;
    const { resolve, reject } = waiting.get(reply.id)!;
    if ("failure" in reply) reject(new Error(reply.failure));
    else resolve(reply.result);
  },
});

function ask<Name extends keyof Calls>(call: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]> {
  const answer = Promise.withResolvers<unknown>();
  const id = waiting.size;
  waiting.set(id, answer);
  worker.onmessage({ data: { id, call, args } });
  return answer.promise as ReturnType<Calls[Name]>;
}

// All is computed on the cpu, and a software driver that was asked for nothing cannot crash.
Object.defineProperty(navigator, "gpu", { value: undefined });
const { recipe: quickstart, teacher: { classes } } = await ask("prepare");

/** The quickstart with one step on few images, taught by a folder. */
const taughtBy = (folder: string) =>
  quickstart.replace("  use: idx\n", "  use: idx\n  takeTrain: 192\n  takeTest: 100\n")
    .replace("count: 800", "count: 64")
    .replace("epochs: 10", "epochs: 1\n  maxSteps: 1")
    .replace("  depth: 20\n  width: 8\n", "")
    .replace("plugins/models/data/fashion-resnet20", folder);

const distil = (recipe: string) => ask("distil", { recipe, choice: "cpu", overrides: [] });

/** The shipped teacher as a folder of the user's, with other names for its classes if these are given. */
async function teacherAs(name: string, labels?: readonly string[]): Promise<FolderFile[]> {
  const folder = new URL("plugins/models/data/fashion-resnet20/", CHECKOUT);
  const config = JSON.parse(await Deno.readTextFile(new URL("config.json", folder)));
  return [
    {
      path: `${name}/config.json`,
      bytes: new TextEncoder().encode(JSON.stringify({ ...config, ...(labels && { labels }) })),
    },
    { path: `${name}/model.safetensors`, bytes: await Deno.readFile(new URL("model.safetensors", folder)) },
  ];
}

Deno.test("a run is taught by the folder of its recipe, whatever was made or opened under that name since", async () => {
  const opened = await ask("open", "student", await teacherAs("student"));
  const recipe = taughtBy(opened.folder);
  const first = await distil(recipe);
  const made = await ask("student");
  const other = await ask("open", "student", made.map(({ path, bytes }) => ({ path: `student/${path}`, bytes })));
  const second = await distil(recipe);
  assert.equal(new Set([opened, first.student!, other, second.student!].map(({ folder }) => folder)).size, 4);
  for (const { teacher, summary } of [first, second]) {
    assert.equal(teacher.parameters, opened.parameters);
    assert.equal(summary.teacher!.accuracy, first.summary.teacher!.accuracy);
  }
});

Deno.test("a folder that is refused leaves the student of its name as it was", async () => {
  const files = await teacherAs("student");
  await ask("open", "student", files);
  const [config, { path, bytes }] = files;
  await assert.rejects(
    ask("open", "student", [config, { path, bytes: bytes.slice(0, 9) }]),
    /^Error: Cannot read "kept\/\d+\/student\/model\.safetensors" as safetensors: its header claims .* only 1 follow$/,
  );
  assert.deepEqual((await ask("student")).map(({ bytes }) => bytes), files.map(({ bytes }) => bytes));
});

Deno.test("a model is measured on the test images by its classes' names, and not at all if they are others", async () => {
  const examined = async (labels: readonly string[]) => {
    await ask("open", "own", await teacherAs("own", labels));
    return await ask("examine", "student", 100);
  };
  const [first, second, ...rest] = classes;
  const right = (await examined(classes))!.accuracy;
  assert.ok(right > 0.8, `${right}`);
  assert.equal((await examined(classes.map((name) => name.toUpperCase())))!.accuracy, right);
  assert.equal((await examined(classes.map((_, index) => `LABEL_${index}`)))!.accuracy, right);
  const swapped = (await examined([second, first, ...rest]))!.accuracy;
  assert.ok(swapped < right - 0.1, `${swapped} of ${right}`);
  assert.equal(await examined(classes.map((_, index) => `${index}`)), null);
});

Deno.test("test images are called by the names of their own classes after a run on other ones", async () => {
  const labels = [..."abcdefghij"];
  const { folder } = await ask("open", "own", await teacherAs("own", labels));
  const { teacher, student } = await distil(
    taughtBy(folder).replace(/^ {2}classes: .*$/m, `  classes: [${labels.join(", ")}]`),
  );
  assert.deepEqual([teacher.classes, student!.classes], [labels, labels]);
  assert.deepEqual((await ask("samples", 0)).map(({ label }) => label), classes);
});
