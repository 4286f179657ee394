import assert from "node:assert/strict";
import { join } from "node:path";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { type Override } from "../../../core/recipe/overrides.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { writeSafetensors } from "../../../core/safetensors.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { resnet } from "../../../plugins/models/resnet/resnet.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { buildResnet } from "./resnet_fixture.ts";

type Shapes = [name: string, shape: readonly number[]][];

/** Tensors of a network of ten classes under torchvision's names. */
function torchvision(options: Record<string, unknown>): Shapes {
  return buildResnet(options, [32, 32, 3], 10).parameters.map(({ name, shape }) => [name, shape]);
}

/** The same under other names; what has an empty one is left out. Each batch norm counts its batches. */
function renamed(shapes: Shapes, rename: (name: string) => string): Shapes {
  const names = shapes.map(([name, shape]): [string, readonly number[]] => [rename(name), shape]);
  const counted = names.filter(([name]) => name.endsWith("running_mean"));
  return [
    ...names.filter(([name]) => name !== ""),
    ...counted.map(([name]): [string, readonly number[]] => [name.replace("running_mean", "num_batches_tracked"), [1]]),
  ];
}

const replacing = (...pairs: [RegExp, string][]) => (name: string) =>
  pairs.reduce((now, [pattern, text]) => now.replace(pattern, text), name);
const oneLess = (name: string) => name.replace(/layer(\d)/, (_, stage) => `layers.${stage - 1}`);

/** A weights file of zeros. */
async function withWeights(shapes: Shapes, body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "w.safetensors");
    const zeros = shapes.map(([name, shape]) => [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const);
    await writeSafetensors(file, new Map(zeros));
    await body(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const small = { depth: 20, width: 4 };
const imagenet = { depth: 18, width: 4, stem: "cifar" };

const huggingFace = replacing(
  [/^conv1/, "resnet.embedder.embedder.convolution"],
  [/^bn1/, "resnet.embedder.embedder.normalization"],
  [/^layer(\d)\.(\d)\./, "resnet.encoder.stages.$1.layers.$2."],
  [/downsample\.0/, "shortcut.convolution"],
  [/downsample\.1/, "shortcut.normalization"],
  [/\.conv(\d)/, ".layer.$1.convolution"],
  [/\.bn(\d)/, ".layer.$1.normalization"],
  [/^fc/, "classifier.1"],
);
const residualFunction = replacing(
  [/^conv1\./, "conv1.0."],
  [/^bn1/, "conv1.1"],
  [/layer(\d)/, "conv$1_x"],
  [/(conv\d_x\.\d)\.conv1/, "$1.residual_function.0"],
  [/(conv\d_x\.\d)\.bn1/, "$1.residual_function.1"],
  [/(conv\d_x\.\d)\.conv2/, "$1.residual_function.3"],
  [/(conv\d_x\.\d)\.bn2/, "$1.residual_function.4"],
  [/downsample/, "shortcut"],
);

/** Files of zoos: the network under torchvision's names, and how they name its tensors. */
const READ: [what: string, options: Record<string, unknown>, rename: (name: string) => string][] = [
  ["module, linear", { ...small, shortcut: "padded" }, replacing([/^fc/, "linear"], [/^/, "module."])],
  ["_orig_mod, module", small, replacing([/^/, "_orig_mod.module."])],
  ["a wrapper's own prefix", small, replacing([/^/, "model.backbone."])],
  ["shortcut, linear", imagenet, replacing([/downsample/, "shortcut"], [/^fc/, "linear"])],
  ["layers from 0, linear", { depth: 32, width: 4 }, (name) => oneLess(name).replace(/^fc/, "linear")],
  ["more than ten blocks", { blocks: [12, 11], width: 4 }, (name) => oneLess(name).replace(/^fc/, "head")],
  ["residual_function", imagenet, residualFunction],
  ["Hugging Face's ResNet", { depth: 50, width: 4 }, huggingFace],
  ["bottlenecks of no known depth", { blocks: [1, 2, 1], bottleneck: true, width: 4 }, (name) => name],
];

for (const [what, options, rename] of READ) {
  Deno.test(`${what}: the tensors are read for what they are, and the recipe needs no sizes`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const model = buildResnet(options, [32, 32, 3], 10);
      const tensors = model.parameters.map(({ name, shape }, index) =>
        [rename(name), { shape, data: new Float32Array(sizeOf(shape)).fill(index) }] as const
      );
      const counters = model.parameters.filter(({ name }) => name.endsWith("running_mean")).map(({ name }) =>
        [rename(name).replace("running_mean", "num_batches_tracked"), {
          shape: [1],
          data: new Float32Array(1),
        }] as const
      );
      const file = join(folder, "w.safetensors");
      // In another order, as PyTorch's own is not kept in files.
      await writeSafetensors(file, new Map([...tensors, ...counters].sort(([a], [b]) => a < b ? 1 : -1)));
      const lines: string[] = [];
      const read = await readModelWeights(file, model, "teacher", { report: (line) => lines.push(line) });
      const plain = model.parameters.every(({ name }) =>
        rename(name).replace(/^(?:module\.|_orig_mod\.)+/, "") === name
      );
      assert.equal(lines.length, plain ? 0 : 1, "wrappers are no names of their own");
      model.parameters.forEach(({ name }, index) => assert.equal(read.get(name)![0], index, name));
      const said = options.shortcut ? `shortcut: ${options.shortcut}, ` : "";
      const { teacher } = await sizes(folder, `${said}weights: w.safetensors`);
      assert.deepEqual(teacher, [options.depth ?? null, 4, options.depth === 50 ? "imagenet" : "cifar"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Files that cannot be read, and what is said of them to who wants a ResNet-8. */
const ZOO: [what: string, shapes: Shapes, reason: string][] = [
  [
    "torchvision's names of another depth",
    torchvision({ depth: 32, width: 4 }),
    "fit a CIFAR ResNet-32: depth: 32, width: 4",
  ],
  ["a ResNet-18 for small pictures", torchvision(imagenet), "fit a ResNet-18: depth: 18, width: 4"],
  [
    "layers of another depth",
    renamed(torchvision({ depth: 32, width: 4 }), (name) => oneLess(name).replace(/^fc/, "linear")),
    "fit a CIFAR ResNet-32: depth: 32, width: 4",
  ],
  [
    "stages of unequal numbers",
    torchvision({ depth: 20, width: 4 }).filter(([name]) => !name.startsWith("layer3.2.")),
    "fit a ResNet with 3, 3 and 2 blocks of two convolutions: blocks: [3, 3, 2], width: 4",
  ],
  [
    "a tensor too many",
    [...renamed(torchvision(small), replacing([/^fc/, "linear"])), ["scale.weight", [1]]],
    "look like those of a CIFAR ResNet-20 of width 4, but not all of its tensors have a place there; it has " +
    "linear.weight for fc.weight",
  ],
  [
    "norms before their convolutions",
    renamed(
      torchvision(small),
      replacing([/(\d\.\d)\.bn(\d)/, "$1.body.$2"], [/(\d\.\d)\.conv(\d)/, "$1.body.$2$2"]),
    ),
    "look like those of a CIFAR ResNet-20 of width 4, but not all of its tensors have a place there; it has " +
    "layer1.0.body.11.weight for layer1.0.conv1.weight",
  ],
  [
    "norms of what goes in, not of what comes out",
    torchvision(small).map(([name, shape]) =>
      /layer2\.0\.bn1/.test(name) ? [name, [4]] as const : [name, shape] as const
    ) as Shapes,
    "look like those of a CIFAR ResNet-20 of width 4",
  ],
  [
    "shortcuts with a pooling before their convolution",
    renamed(torchvision(imagenet), replacing([/downsample\.1/, "downsample.2"], [/downsample\.0/, "downsample.1"])),
    "look like those of a ResNet-18 of width 4, but not all of its tensors have a place there; it has " +
    "layer2.0.downsample.1.weight for layer2.0.downsample.0.weight",
  ],
  [
    "a wide one",
    torchvision(small).map(([name, shape]) =>
      name === "conv1.weight" ? [name, [2, 3, 3, 3]] as const : [name, shape] as const
    ) as Shapes,
    "look like those of a ResNet with 3, 3 and 3 blocks of two convolutions wider than its stem (Wide ResNet), which " +
    "cannot be built",
  ],
  [
    "a stem of three convolutions",
    [
      ...torchvision(imagenet).filter(([name]) => name !== "conv1.weight"),
      ...[0, 3, 6].map((place) => [`conv1.${place}.weight`, [4, place === 0 ? 3 : 4, 3, 3]] as [string, number[]]),
    ],
    "look like those of a ResNet with 2, 2, 2 and 2 blocks of two convolutions behind a stem of several convolutions " +
    "(ResNet-D), which cannot be built",
  ],
  [
    "one with groups",
    torchvision({ depth: 50, width: 4 }).map(([name, shape]) =>
      /layer\d\.\d\.conv2/.test(name) ? [name, [shape[0], shape[1] / 2, 3, 3]] as const : [name, shape] as const
    ) as Shapes,
    "look like those of a ResNet with 3, 4, 6 and 3 blocks of three convolutions in groups (ResNeXt), which cannot be " +
    "built",
  ],
];

for (const [what, shapes, reason] of ZOO) {
  Deno.test(`${what}: the refusal names the nearest architecture, and no name that is ignored`, () =>
    withWeights(shapes, async (file) => {
      const model = buildResnet({ depth: 8, width: 4 }, [32, 32, 3], 10);
      await assert.rejects(() => readModelWeights(file, model, "teacher"), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.ok(!error.message.includes("num_batches_tracked"), error.message);
        assert.equal(error.message.split("; its weights ")[1], reason);
        return true;
      });
    }));
}

Deno.test("weights of no residual network are not taken for one", async () => {
  const dense: Shapes = [1, 2, 3].flatMap((stage) => [
    [`features.denseblock${stage}.denselayer1.conv1.weight`, [8, 4, 1, 1]],
    [`features.denseblock${stage}.denselayer1.conv2.weight`, [4, 8, 3, 3]],
  ]);
  const others: Shapes[] = [
    [["features.conv0.weight", [4, 3, 3, 3]], ...dense],
    [["features.0.weight", [4, 3, 3, 3]], ["features.3.weight", [8, 4, 3, 3]], ["classifier.weight", [10, 8]]],
    [["bert.encoder.layer.0.attention.self.query.weight", [8, 8]]],
  ];
  for (const shapes of others) {
    await withWeights([...shapes, ["bn1.num_batches_tracked", [1]]], async (file) => {
      const model = buildResnet({ depth: 8, width: 4 }, [32, 32, 3], 10);
      const message = /; it has [^;]*, with no place in this model$/;
      await assert.rejects(() => readModelWeights(file, model, "teacher"), { name: "UserError", message });
    });
  }
});

/** The options of teacher and student of the tiny recipe with a teacher, in a folder. */
async function sizes(folder: string, teacher: string, overrides: readonly (string | Override)[] = []) {
  const text = tinyRecipe.replace("student:", `teacher: { use: resnet, ${teacher} }\nstudent:`);
  const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, { overrides });
  const plugins = await resolvePlugins(recipe, builtins);
  const show = ({ depth, width, stem }: Record<string, unknown>) => [depth, width, stem];
  return { teacher: show(plugins.teacher!.options), student: show(plugins.student.options) };
}

Deno.test("what a recipe leaves out of a ResNet follows from its weights and the config.json beside them", () =>
  withTinyData(async (folder) => {
    const trained = ["train.epochs=1", "student.overParameterise=[]"];
    await tinyRun(folder, { output: "small", overrides: [...trained, "student.width=6", "student.stem=small"] });
    const taught = await sizes(folder, "weights: small/student");
    assert.deepEqual(taught, { teacher: [8, 6, "small"], student: [8, 4, null] });
    const stated = await sizes(folder, "depth: 8, width: 6, weights: small/student/model.safetensors");
    assert.deepEqual(stated.teacher, [8, 6, "small"]);

    await assert.rejects(() => sizes(folder, "stem: cifar, weights: small/student"), {
      name: "UserError",
      message: /with stem: cifar for these weights, which are of one with stem: small: leave stem out, or name other/,
    });

    const from = ["student.weights=small/student", "student.depth=null", "student.width=null"];
    assert.deepEqual((await sizes(folder, "weights: small/student", from)).student, [8, 6, "small"]);
    const started = [
      "student.initialise={ from: teacher, layers: [0, 1, 2] }",
      "student.depth=null",
      "student.width=null",
    ];
    assert.deepEqual((await sizes(folder, "weights: small/student", started)).student, [8, 6, "small"]);

    // And it runs so.
    const text = tinyRecipe.replace("  depth: 8\n  width: 4\n", "  weights: small/student\n");
    const { student } = await tinyRun(folder, { text, overrides: trained });
    assert.ok(student.parametersInference > 0);
  }));

Deno.test("shortcuts without weights are asked for, unless this program's config.json says how they fit", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, {
      output: "small",
      overrides: ["train.maxSteps=2", "student.overParameterise=[]", "student.shortcut=padded-behind"],
    });
    const shortcuts = async (teacher: string, overrides: readonly (string | Override)[] = []) => {
      const text = tinyRecipe.replace("student:", `teacher: { use: resnet, ${teacher} }\nstudent:`);
      const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, { overrides });
      const plugins = await resolvePlugins(recipe, builtins);
      return [plugins.teacher!.options.shortcut, plugins.student.options.shortcut];
    };
    assert.deepEqual(await shortcuts("weights: small/student"), ["padded-behind", null]);
    const started = ["student.initialise={ from: teacher, layers: [0, 1, 2] }", "student.depth=null"];
    assert.deepEqual(await shortcuts("weights: small/student", started), ["padded-behind", "padded-behind"]);
    await Deno.copyFile(join(folder, "small", "student", "model.safetensors"), join(folder, "w.safetensors"));
    const refused = (teacher: string, message: RegExp) =>
      assert.rejects(() => shortcuts(teacher), { name: "UserError", message });
    await refused(
      "weights: w.safetensors",
      /Cannot tell how the shortcuts of the ResNet fit, which have no weights \(option A\): say shortcut: padded if zeros/,
    );
    await refused(
      "weights: w.safetensors, shortcut: projection",
      /with shortcut: projection for these weights, which are of one with shortcut: padded or padded-behind: leave/,
    );
    await refused(
      "weights: small/student, shortcut: padded",
      /with shortcut: padded for these weights, which are of one with shortcut: padded-behind: leave shortcut out/,
    );
    assert.deepEqual(await shortcuts("weights: w.safetensors, shortcut: padded"), ["padded", null]);
    await refused(
      "weights: w.safetensors, blocks: [1, 2, 1]",
      /with blocks: \[1, 2, 1\] for these weights, .* \[1, 1, 1\]/,
    );
    await refused("weights: w.safetensors, bottleneck: true", /with bottleneck: true for these weights, .*: false/);
    assert.throws(() => buildResnet({ depth: 8, blocks: [1, 1, 1] }, [8, 8, 1], 3), /say one of them$/);
    assert.throws(() => buildResnet({ depth: 50, bottleneck: false }, [8, 8, 1], 3), /others are described by blocks$/);
  }));

Deno.test("Hugging Face's config.json that describes another network with the same tensors is refused", () => {
  const shapes = new Map(torchvision(imagenet).map(([name, shape]) => [name, shape]));
  const options = resnet.options(optionKit).parse({});
  const read = (config: Record<string, unknown>) =>
    resnet.fromWeights!({ shapes, config: { model_type: "resnet", ...config } }, options);
  assert.equal(read({ hidden_act: "relu", downsample_in_bottleneck: false }).depth, 18);
  assert.throws(() => read({ hidden_act: "gelu" }), /Cannot build a ResNet with hidden_act: "gelu": expected "relu"$/);
  assert.throws(() => read({ downsample_in_bottleneck: true }), /with downsample_in_bottleneck: true: expected false$/);
  assert.throws(() => read({ downsample_in_first_stage: true }), /downsample_in_first_stage: true: expected false$/);
});

Deno.test("a ResNet-18 with a first filter of 3x3 gets the stem that has it", () =>
  withWeights(torchvision(imagenet), async (file) => {
    const { teacher } = await sizes(join(file, ".."), "weights: w.safetensors");
    assert.deepEqual(teacher, [18, 4, "cifar"]);
  }));

Deno.test("what contradicts the weights is refused with both values, and so is what cannot be told", () =>
  withTinyData(async (folder) => {
    const zeros = new Map(
      torchvision({ depth: 20, width: 4 }).map(([name, shape]) =>
        [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const
      ),
    );
    await writeSafetensors(join(folder, "w.safetensors"), zeros);
    const refused = async (teacher: string, message: RegExp, overrides: readonly string[] = []) =>
      await assert.rejects(() => sizes(folder, teacher, overrides), { name: "UserError", message });
    await refused(
      "depth: 32, weights: w.safetensors",
      /tiny\.yaml:9:\d+: Cannot build a ResNet with depth: 32 for these weights, which are of one with depth: 20: leave depth out, or name other weights$/,
    );
    await refused(
      "width: 16, weights: w.safetensors",
      /with width: 16 for these weights, .* with width: 4: leave width/,
    );
    await refused(
      "weights: w.safetensors",
      /Cannot tell the student's depth by its teacher's, 20: say depth, or list the layers that it starts from$/,
      ["student.depth=null", "student.initialise={ from: teacher }"],
    );
    await refused(
      "weights: w.safetensors",
      /Cannot tell the student's depth by its teacher's, 20/,
      ["student.depth=null", "student.initialise={ from: teacher, layers: [0, 1] }"],
    );
    await refused(
      "weights: none.safetensors",
      /Cannot read the tensors ".*none\.safetensors" as there is no such file/,
    );
    await writeSafetensors(
      join(folder, "other.safetensors"),
      new Map([["a.weight", { shape: [1], data: new Float32Array(1) }]]),
    );
    await refused(
      "weights: other.safetensors",
      /Cannot tell the depth of the ResNet by its weights as they are of no residual network whose names can be read; say depth: 18, 34, 50, 101, 152, or 6k \+ 2, or blocks$/,
    );
    // A run's recipe that says it all is read, whatever became of its teacher.
    assert.deepEqual((await sizes(folder, "depth: 14, weights: gone")).teacher, [14, null, null]);
    const fresh = tinyRun(folder, { overrides: ["student.depth=null"] });
    await assert.rejects(fresh, {
      name: "UserError",
      message:
        /Cannot build a ResNet of no depth: expected depth \(18, 34, 50, 101, 152, or 6k \+ 2\), blocks, or weights that show it$/,
    });
  }));

Deno.test("timm's networks of the same tensors that compute something else are refused by name", () => {
  const shapes = new Map(torchvision({ depth: 18, width: 4, stem: "imagenet" }));
  const follow = (config: Record<string, unknown>) =>
    resnet.fromWeights!({ shapes, config }, resnet.options(optionKit).parse({})).depth;
  for (const architecture of ["resnet", "tv_resnet34", "resnet50", "cifar10_resnet20", "wide_resnet50_2"]) {
    assert.equal(follow({ architecture, global_pool: "avg" }), 18);
  }
  for (const architecture of ["resnetblur18", "resnetaa50", "resnet50_gn", "resnet10t", "seresnet50"]) {
    assert.throws(() => follow({ architecture }), {
      name: "UserError",
      message: `Cannot build a ResNet of the architecture "${architecture}": expected a plain one, such as "resnet50"`,
    });
  }
  assert.throws(() => follow({ architecture: "resnet18", global_pool: "max" }), {
    name: "UserError",
    message: 'Cannot build a ResNet with global_pool: "max": expected "avg"',
  });
});
