import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { Random } from "../../../core/data/random.ts";
import { loadData } from "../../../core/distill/load_data.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { withFileServer } from "../../support/file_server.ts";

const hash = "0123456789abcdef".repeat(4);

async function load(dataset: string): Promise<unknown> {
  const text = `
name: data
dataset:
${dataset}
student: { use: resnet, depth: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1 }
`;
  const recipe = parseChecked(text, "data.yaml", recipeSchema);
  return loadData(recipe, (await resolvePlugins(recipe, builtins)).dataset, new Random(0));
}

Deno.test("a file that cannot be downloaded is told with the data set's place in the recipe", () =>
  withFileServer({}, async ({ url, requests }) => {
    const datasets = {
      idx: `  use: idx\n  train: { images: { url: "${url("/idx")}", sha256: ${hash} } }`,
      cifar: `  use: cifar\n  train: [{ url: "${url("/cifar")}", sha256: ${hash} }]\n  test: [test.bin]`,
    };
    for (const [name, dataset] of Object.entries(datasets)) {
      await assert.rejects(load(dataset), {
        name: "UserError",
        message: `data.yaml:4:3: Cannot download "${
          url(`/${name}`)
        }" as the server answers 404 Not Found: check the address`,
      });
    }
    assert.deepEqual(requests, ["/idx", "/cifar"]);
  }));

Deno.test("a missing file is told with the data set's place in the recipe", () =>
  assert.rejects(load("  use: idx\n  folder: no-such-folder"), {
    name: "UserError",
    message:
      /^data\.yaml:4:3: Cannot read the images ".*train-images-idx3-ubyte\.gz" as there is no such file or folder$/,
  }));

Deno.test("a URL for the whole folder is refused with what to write instead", () =>
  assert.rejects(load("  use: idx\n  folder: https://example.org/mnist"), {
    name: "UserError",
    message: "data.yaml:5:11: Cannot take a URL for the folder: name each file in it as { url: …, sha256: … }",
  }));
