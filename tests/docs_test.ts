import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { CHECKOUT } from "./support/task.ts";

/** Folders that hold no pages of ours. */
const OTHERS = new Set(["node_modules", "runs"]);

/** Files of the checkout whose names end so, by their paths from there. */
async function filesOf(ending: RegExp, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(CHECKOUT, folder))) {
    const path = join(folder, name);
    if (isDirectory && !name.startsWith(".") && !OTHERS.has(name)) found.push(...await filesOf(ending, path));
    else if (ending.test(name)) found.push(path);
  }
  return found.sort();
}

const pages = () => filesOf(/\.md$/);

const readPage = (path: string) => Deno.readTextFile(join(CHECKOUT, path));

/** A page without its blocks of code, in which brackets mean something else. */
const prose = (text: string) => text.replaceAll(/^```[^]*?^```$/gm, "");

/** Targets of `[text](target)` outside of code. */
const linksIn = (text: string) =>
  Array.from(prose(text).replaceAll(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target);

/** What GitHub calls the headings of a page in addresses. */
const anchorsOf = (text: string) =>
  Array.from(
    prose(text).matchAll(/^#+ (.*)$/gm),
    ([, title]) => title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"),
  );

const exists = (path: string) => Deno.stat(join(CHECKOUT, path)).then(() => true, () => false);

const isAddress = (target: string) => /^[a-z]+:/.test(target);

/** The page or file that a link leads to, from the checkout. */
const leadsTo = (page: string, target: string) => {
  const [path] = target.split("#");
  return path === "" ? page : normalize(join(dirname(page), path));
};

Deno.test("every link of a page leads to a file, and to a heading that is in it", async () => {
  const broken: string[] = [];
  let followed = 0;
  for (const page of await pages()) {
    for (const target of linksIn(await readPage(page)).filter((target) => !isAddress(target))) {
      followed++;
      const path = leadsTo(page, target);
      const anchor = target.split("#")[1];
      const there = await exists(path);
      if (!there || (anchor && !anchorsOf(await readPage(path)).includes(anchor))) broken.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(followed > 50, `only ${followed} links were found`);
});

Deno.test("the README is a door: at most 170 lines, and every page is two clicks away", async () => {
  const text = await readPage("README.md");
  assert.ok(text.trimEnd().split("\n").length <= 170, "the README has more than 170 lines");
  const reached = new Set(["README.md"]);
  for (let click = 0; click < 2; click++) {
    for (const page of [...reached].filter((path) => path.endsWith(".md"))) {
      for (const target of linksIn(await readPage(page)).filter((target) => !isAddress(target))) {
        reached.add(leadsTo(page, target));
      }
    }
  }
  // What is shipped as data has a page beside it for whoever opens that folder.
  const shipped = (path: string) => path.includes(join("", "data", ""));
  assert.deepEqual((await pages()).filter((page) => !shipped(page) && !reached.has(page)), []);
});

Deno.test("every shipped recipe is listed on the page beside the recipes", async () => {
  const listed = linksIn(await readPage("tasks/recipes/README.md"));
  const recipes = Array.from(Deno.readDirSync(join(CHECKOUT, "tasks", "recipes")), ({ name }) => name);
  assert.deepEqual(recipes.filter((name) => name.endsWith(".yaml") && !listed.includes(name)), []);
});

Deno.test("the README names every verb of deno.json, save those for developers", async () => {
  const text = await readPage("README.md");
  const { tasks } = JSON.parse(await Deno.readTextFile(join(CHECKOUT, "deno.json")));
  const forDevelopers = [
    ...["test-native", "torture", "test-hardware", "test-browser", "test-npm"],
    ...["ok", "build-wasm", "build-loops", "make-data"],
  ];
  const missing = Object.keys(tasks).filter((verb) => !text.includes(`deno task ${verb}`));
  assert.deepEqual(missing, forDevelopers);
  const contributing = await readPage("CONTRIBUTING.md");
  for (const verb of forDevelopers) assert.match(contributing, new RegExp(`deno task ${verb}`));
});

Deno.test("the pages on permissions name every task that may ask any host, and no other", async () => {
  const { tasks } = JSON.parse(await readPage("deno.json")) as { tasks: Record<string, { command: string }> };
  const asking = Object.keys(tasks).filter((name) => / --allow-net /.test(tasks[name].command)).sort();
  for (
    const [page, list] of [
      ["plugins/SECURITY.md", /^(`compare`.*) may ask any host/m],
      ["tasks/queue/README.md", /The tasks ([^.]*) may ask any\s+host/],
      ["tasks/README.md", /not the network, save ([^.]*), which give it up/],
    ] as const
  ) {
    const [, named] = list.exec(await readPage(page))!;
    assert.deepEqual(Array.from(named.matchAll(/`([^`]+)`/g), ([, name]) => name).sort(), asking, page);
  }
});

Deno.test("no line of a comment is longer than 120 columns", async () => {
  const long: string[] = [];
  for (const file of (await filesOf(/\.(?:ts|wgsl|yaml)$/)).filter((file) => !file.includes("generated"))) {
    const lines = (await Deno.readTextFile(join(CHECKOUT, file))).split("\n");
    lines.forEach((line, index) => {
      if (line.length > 120 && /^\s*(?:#|\/\/|\/?\*)/.test(line) && !/https?:/.test(line)) {
        long.push(`${file}:${index + 1}`);
      }
    });
  }
  assert.deepEqual(long, []);
});
