import assert from "node:assert/strict";
import { join } from "node:path";
import { openBackend, openModel } from "../../mod.ts";
import { CHECKOUT, runTask } from "../support/task.ts";
import { assertClose } from "../support/numbers.ts";

/**
 * `deno task test-npm -- --with=transformers` installs transformers.js, 475 MB with the onnxruntimes for all systems,
 * whose scripts are not run.
 */
const wanted = Deno.args.some((arg) => arg.startsWith("--with=") && arg.slice(7).split(",").includes("transformers"));

const PACKAGE = "@huggingface/transformers@4.3.2";

const TEXTS = ["hello there, see you on Monday", "win money now", "re: the minutes"];

/** Pixels of a made-up picture. */
const pixelsOf = (picture: number) => Uint8Array.from({ length: 28 * 28 }, (_, place) => (place * (picture + 3)) % 256);

/** Runs both pipelines, and tells what they give. */
const PROGRAM = `
import { env, pipeline, RawImage } from "@huggingface/transformers";
env.allowRemoteModels = false;
env.localModelPath = "./";
const texts = await pipeline("text-classification", "mail", { dtype: "fp32" });
const images = await pipeline("image-classification", "fashion", { dtype: "fp32" });
const small = await pipeline("image-classification", "fashion", { dtype: "q8" });
const [given, pixels] = JSON.parse(process.argv[2]);
const pictures = pixels.map((bytes) => new RawImage(new Uint8ClampedArray(bytes), 28, 28, 1));
const all = { top_k: null };
console.log(JSON.stringify([await texts(given, all), await images(pictures, all), await small(pictures, all)]));
`;

async function succeed(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Probabilities of classes by name. */
function softmax(logits: Float32Array, names: readonly string[]): Map<string, number> {
  const largest = Math.max(...logits);
  const parts = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = parts.reduce((a, b) => a + b);
  return new Map(names.map((name, index) => [name, parts[index] / sum]));
}

type Answer = readonly { readonly label: string; readonly score: number }[];

function assertSame(answers: readonly Answer[], logits: readonly Float32Array[], names: readonly string[], by: number) {
  assert.equal(answers.length, logits.length);
  answers.forEach((answer, index) => {
    const own = softmax(logits[index], names);
    assert.deepEqual(answer.map(({ label }) => label).sort(), [...names].sort());
    assertClose(answer.map(({ score }) => score), answer.map(({ label }) => own.get(label)!), by);
  });
}

Deno.test({
  name: "pipelines of transformers.js load exports from a folder, offline, and give our probabilities",
  ignore: !wanted,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const { backend } = await openBackend("cpu");
    try {
      const saved = (name: string) => join(CHECKOUT, "plugins", "models", "data", name);
      const exported = async (name: string, as: string, ...flags: string[]) => {
        const out = ["--to", "onnx", "--backend", "cpu", "--out", join(folder, as)];
        const { code, stderr } = await runTask("export", [saved(name), ...out, ...flags]);
        assert.deepEqual([code, stderr], [0, ""]);
      };
      await exported("mail-bert4", "mail");
      const recipe = join(CHECKOUT, "tasks", "recipes", "quickstart-teacher.yaml");
      await exported("fashion-resnet20", "fashion", "--precision", "fp32,int8", "--recipe", recipe);
      await Deno.writeTextFile(join(folder, "package.json"), '{ "type": "module" }');
      await Deno.writeTextFile(join(folder, "program.mjs"), PROGRAM);
      await succeed("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE], folder);
      const pictures = [0, 1, 2].map(pixelsOf);
      const given = JSON.stringify([TEXTS, pictures.map((pixels) => [...pixels])]);
      const said = await succeed("node", ["program.mjs", given], folder);
      const [texts, images, small] = JSON.parse(said.trimEnd().split("\n").at(-1)!);
      using mail = await openModel(saved("mail-bert4"), { backend });
      assertSame(texts, (await mail.predict({ texts: TEXTS })).logits, mail.input.classes, 1e-5);
      using fashion = await openModel(saved("fashion-resnet20"), { backend });
      const whole = Uint8Array.from(pictures.flatMap((pixels) => [...pixels]));
      const { logits } = await fashion.predict({ images: whole });
      assertSame(images, logits, fashion.input.classes, 1e-5);
      assertSame(small, logits, fashion.input.classes, 0.1);
    } finally {
      await backend.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
