import assert from "node:assert/strict";
import { join } from "node:path";
import { serveSite } from "../../tasks/demo/serve.ts";
import { ticks } from "../../tasks/demo/ticks.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runTask, spawnDeno, taskArguments } from "../support/task.ts";

Deno.test("demo --out writes a site that needs nothing but its own files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await runTask("demo", ["--out", folder]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^written \d+ files, \d\.\d\d MB, to /);
    const page = await Deno.readTextFile(join(folder, "index.html"));
    for (const [, path] of page.matchAll(/(?:src|href)="(?!https?:|data:)([^"]+)"/g)) {
      await Deno.stat(join(folder, path));
    }
    const used = page.matchAll(/\bid="([\w-]+)"/g).map(([, id]) => id).toArray();
    assert.equal(new Set(used).size, used.length, "no id stands twice");
    for (const name of ["page.js", "worker.js"]) {
      const code = await Deno.readTextFile(join(folder, name));
      assert.equal(/\bfrom\s*"(?:node|npm|jsr):/.exec(code), null, `${name} imports nothing that a browser lacks`);
    }
    const files: string[] = JSON.parse(await Deno.readTextFile(join(folder, "files.json")));
    for (const path of files) {
      assert.deepEqual(await Deno.readFile(join(folder, "files", path)), await Deno.readFile(join(CHECKOUT, path)));
    }
    assert.ok(files.includes("plugins/models/data/fashion-resnet20/model.safetensors"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("demo serves on 127.0.0.1 and says where", async () => {
  const child = spawnDeno([...taskArguments("demo"), "--port", "0"]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let said = "";
    while (!said.includes("\n")) said += (await reader.read()).value ?? assert.fail(`it ended after "${said}"`);
    const [, address] = said.match(/^the page is at (http:\/\/127\.0\.0\.1:\d+\/) until Ctrl-C\n$/) ??
      assert.fail(said);
    assert.match(await (await fetch(address)).text(), /^<!doctype html>/);
  } finally {
    child.kill();
    await reader.cancel();
    await child.stderr.cancel();
    await child.status;
  }
});

Deno.test("the page's server gives files with their types, threads if it isolates, and nothing else", async () => {
  const site = new Map([["index.html", new Uint8Array([1])], ["a/b.gz", new Uint8Array([2, 3])]]);
  const header = "cross-origin-embedder-policy";
  for (const isolated of [true, false]) {
    await using served = serveSite(site, { isolated });
    const page = await fetch(served.address);
    assert.deepEqual(await page.bytes(), new Uint8Array([1]));
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(page.headers.get(header), isolated ? "require-corp" : null);
    const file = await fetch(`${served.address}a/b.gz`);
    assert.deepEqual(await file.bytes(), new Uint8Array([2, 3]));
    assert.equal(file.headers.get("content-encoding"), null);
    for (const path of ["a", "a/../../etc/passwd", "deno.json"]) {
      const missing = await fetch(served.address + path);
      assert.equal(missing.status, 404);
      await missing.body?.cancel();
    }
  }
});

Deno.test("demo refuses a port that is none, or that another program has", async () => {
  const { code, stderr } = await runHere("demo", ["--port", "70000"]);
  assert.deepEqual([code, stderr], [2, "--port 70000: Expected a whole number from 0 to 65535\n"]);
  await using taken = serveSite(new Map(), {});
  const { port } = new URL(taken.address);
  const other = await runTask("demo", ["--port", port]);
  assert.deepEqual([other.code, other.stderr], [
    2,
    `Cannot serve on port ${port} as another program has it: name one with --port, or 0 for any\n`,
  ]);
});

Deno.test("a chart's ticks are round numbers within its range", () => {
  assert.deepEqual(ticks(0, 6.3, 4), [0, 2, 4, 6]);
  assert.deepEqual(ticks(0, 114, 5), [0, 50, 100]);
  assert.deepEqual(ticks(0.4, 1, 4).map((value) => value.toFixed(2)), ["0.40", "0.60", "0.80", "1.00"]);
  assert.deepEqual(ticks(0, 1, 5).map((value) => value.toFixed(1)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
});

Deno.test("the site is not written over another page, nor to a folder without a name", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const page = join(folder, "index.html");
    await Deno.writeTextFile(page, "<title>Mine</title>");
    const other = await runTask("demo", ["--out", folder]);
    assert.deepEqual([other.code, await Deno.readTextFile(page)], [2, "<title>Mine</title>"]);
    assert.match(other.stderr, /^Cannot write the page to ".*" as there is another index\.html: /);
    const unnamed = await runHere("demo", ["--out", ""]);
    assert.deepEqual([unnamed.code, unnamed.stderr], [2, '--out "": Expected the name of a folder\n']);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
