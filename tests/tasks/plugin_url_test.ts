import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256 } from "../../core/sha256.ts";
import { withFileServer } from "../support/file_server.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

const loss = `export default {
  kind: "loss",
  name: "from-afar",
  description: "Small logits",
  options: ({ z }) => z.strictObject({ factor: z.number().default(1).describe("Factor") }),
  create: ({ factor }) => ({
    teacherOutputs: [],
    compute: ({ ops, student }) => ops.scale(ops.mean(ops.square(student.logits)), factor),
  }),
};
`;

/** Writes the tiny recipe with one loss of these keys. */
async function recipeWith(folder: string, keys: string): Promise<string> {
  const file = join(folder, "url.yaml");
  await Deno.writeTextFile(file, tinyRecipe.replace("{ use: cross-entropy }", `{ ${keys} }`));
  return file;
}

Deno.test("a recipe that names a plug-in by URL needs a flag, a hash and the network", () =>
  withTinyData(async (folder) => {
    const url = "https://example.org/loss.ts";
    const integrity = `integrity: sha256-${"0".repeat(64)}`;
    const refused = async (keys: string, flags: string[], message: RegExp) => {
      const { code, stderr } = await runHere("train", [await recipeWith(folder, keys), ...flags]);
      assert.equal(code, 2, stderr);
      assert.match(stderr.trimEnd(), message);
    };
    const allow = "--allow-plugin-url";
    await refused(`use: ${url}, ${integrity}`, [], /url\.yaml:14:17: .*: it is code .* only with --allow-plugin-url$/);
    await refused(`use: ${url}`, [allow], /url\.yaml:14:17: Cannot load the loss plug-in ".*": integrity is missing: /);
    await refused(
      `use: ${url}, ${integrity}`,
      [allow],
      /url\.yaml:14:17: Cannot download ".*" as Deno was started without network access to example\.org: /,
    );
    await refused(
      `use: kd, ${integrity}`,
      [],
      /url\.yaml:14:\d+: Cannot use integrity with "kd": it is for a plug-in named by its address$/,
    );
  }));

Deno.test("with flag, hash and network a run trains with the loss from a URL, and its recipe says so", () =>
  withTinyData((folder) =>
    withFileServer({ "/loss.js": () => new Response(loss) }, async ({ url, requests }) => {
      const hash = await sha256(new TextEncoder().encode(loss));
      const cached = join(CHECKOUT, "runs", "cache", hash);
      try {
        const recipe = await recipeWith(folder, `use: ${url("/loss.js")}, integrity: sha256-${hash}, factor: 2`);
        const train = [...taskArguments("train"), recipe, "--out", join(folder, "run"), "--set", "train.maxSteps=2"];
        const { code, stdout, stderr } = await runDeno([
          "run",
          "--allow-net=127.0.0.1",
          ...train.slice(1),
          "--allow-plugin-url",
        ]);
        assert.equal(code, 0, stderr);
        assert.deepEqual(requests, ["/loss.js"]);
        assert.ok(stdout.length > 0);
        const resolved = await Deno.readTextFile(join(folder, "run", "recipe.yaml"));
        assert.ok(resolved.includes(`integrity: sha256-${hash}`) && resolved.includes("factor: 2"), resolved);
      } finally {
        await Deno.remove(cached).catch(() => {});
      }
    })
  ));

/** A recipe that sweep takes: the loss from afar beside the usual one, for a student with chains. */
async function sweptWith(folder: string, keys: string): Promise<string> {
  const file = join(folder, "url.yaml");
  await Deno.writeTextFile(file, tinyRecipe.replace("losses: [", `losses: [{ ${keys} }, `));
  return file;
}

Deno.test("compare and sweep run plug-ins from a URL with the flag alone, and their help tells of it", () =>
  withTinyData((folder) =>
    withFileServer({ "/loss.js": () => new Response(loss) }, async ({ url }) => {
      const hash = await sha256(new TextEncoder().encode(loss));
      const cached = join(CHECKOUT, "runs", "cache", hash);
      const recipe = await sweptWith(folder, `use: ${url("/loss.js")}, integrity: sha256-${hash}`);
      const few = ["--backend", "cpu", "--set", "train.maxSteps=1"];
      const verbs = [["compare", "--seeds", "1"], ["sweep", "--cores", "2", "--rates", "0.01"]] as const;
      try {
        for (const [verb, ...flags] of verbs) {
          const start = (...more: string[]) =>
            runDeno([
              "run",
              "--allow-net=127.0.0.1",
              ...taskArguments(verb).slice(1),
              recipe,
              "--output",
              join(folder, verb),
              ...flags,
              ...few,
              ...more,
            ]);
          const refused = await start();
          assert.equal(refused.code, 2, refused.stderr);
          assert.match(refused.stderr, /url\.yaml:14:17: .*: it is code .* only with --allow-plugin-url/);
          const { code, stderr } = await start("--allow-plugin-url");
          assert.equal(code, 0, stderr);
          const results = JSON.parse(await Deno.readTextFile(join(folder, verb, "results.json")));
          assert.ok("from-afar" in results.results[0].runs[0].summary.losses, verb);
          const { stdout } = await runHere(verb, ["--help"]);
          const told = stdout.replaceAll(/\s+/g, " ");
          assert.match(told, /--allow-plugin-url run plug-ins that the recipe names by URL and hash/);
        }
      } finally {
        await Deno.remove(cached).catch(() => {});
      }
    })
  ));
