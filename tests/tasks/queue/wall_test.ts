import assert from "node:assert/strict";
import { join } from "node:path";
import { runTask } from "../../support/task.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";

/** A loss that tells what it may do. */
const PROBE = `
const tried = (name, body) => { try { return name + " " + body(); } catch (error) { return name + " " + error.name; } };
const told = ["AWS_SECRET_ACCESS_KEY", "OPDF_QUEUE_PASSWORD", "CI"].map((name) => tried(name, () => Deno.env.get(name)));
const net = await Deno.connect({ hostname: "127.0.0.1", port: 9 }).then(() => "open", (error) => error.name);
console.log("told: " + [...told, "net " + net].join(", "));
export default {
  kind: "loss", name: "own", description: "Small logits", options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(ops.square(student.logits)) }),
};`;

Deno.test("compare without a queue leaves a plug-in no host to ask, and no password to read", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "own.ts"), PROBE);
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, tinyRecipe.replace("losses: [", "losses: [{ use: ./own.ts, weight: 0.1 }, "));
    const output = join(folder, "out");
    const flags = [file, "--seeds", "1", "--backend", "cpu", "--set", "train.maxSteps=1", "--output", output];
    const env = { AWS_SECRET_ACCESS_KEY: "secret", OPDF_QUEUE_PASSWORD: "secret", CI: "true" };
    const { code, stdout, stderr } = await runTask("compare", flags, env);
    assert.equal(code, 0, stderr);
    const [told] = stdout.match(/^told: .*$/m) ?? [];
    const refused = "AWS_SECRET_ACCESS_KEY NotCapable, OPDF_QUEUE_PASSWORD NotCapable, CI true, net NotCapable";
    assert.equal(told, `told: ${refused}`);
    const dry = await runTask("compare", [...flags, "--dry-run"], env);
    assert.equal(dry.code, 0, dry.stderr);
    assert.equal(dry.stdout.match(/^told: .*$/m)?.[0], `told: ${refused}`);
  }));
