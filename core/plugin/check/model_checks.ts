import type { Floats } from "../../backend/backend.ts";
import { savedOptions } from "../saved_options.ts";
import type { Ops } from "../../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../../tensor.ts";
import type { InputDescription } from "../dataset.ts";
import { channelsAtZero, widthsOf, withoutChannels } from "../inner_widths.ts";
import { optionKit } from "../kit.ts";
import type { Model, ModelDefinition, ModelOutputs } from "../model.ts";
import type { RigName, Rigs } from "./rigs.ts";
import { type Check, describeError, expect, Skipped } from "./check.ts";
import { checkGradient, Unsettled } from "./differences.ts";
import { datasOf, type ImageSize, largerImages, nameOf } from "./inputs.ts";
import { ModelRig } from "./model_rig.ts";
import { expectClose, expectEqual, expectFinite, readNamed, spread } from "./numbers.ts";

const BATCH = 3;
const ON_DEVICES = 1e-3;
const NARROWER = 1e-9;
const BY_DIFFERENCES = 1e-4;

/**
 * The checks of every model; its options are already checked.
 *
 * @param imageSize of made-up images, where the model takes any
 */
export function modelChecks(
  definition: ModelDefinition,
  options: unknown,
  rigs: Rigs,
  imageSize?: ImageSize,
): Check[] {
  let built: { readonly model: Model; readonly data: InputDescription } | undefined;
  const rig = async <Result>(
    name: RigName,
    body: (rig: ModelRig, data: InputDescription) => Promise<Result>,
    { size = BATCH, model }: { readonly size?: number; readonly model?: Model } = {},
  ): Promise<Result> => {
    expect(built !== undefined, "it cannot be built");
    const opened = new ModelRig(await rigs.ops(name), model ?? built.model, built.data, size);
    return await body(opened, built.data).finally(() => opened.dispose());
  };
  const logitsOn = (name: RigName, model?: Model) =>
    rig(name, (opened) => readLogits(opened.ops, () => opened.forward(false)), { model });
  const onDevice = (name: "cpu" | "webgpu"): Check => ({
    name: `same logits on ${name} as in float64`,
    run: async () => expectClose(await logitsOn(name), await logitsOn("float64"), ON_DEVICES, `on ${name}`),
  });
  if (definition.open || definition.record) {
    const run = () => {
      throw new Skipped("it opens files of its own: only a run with them shows what it computes");
    };
    return [{ name: "computes alike on every backend, with right gradients", run }];
  }
  return [
    {
      name: "built for made-up data",
      decisive: true,
      run: () => {
        const refusals: string[] = [];
        for (const data of datasOf(imageSize)) {
          try {
            built = { model: definition.build(options, data), data };
            return nameOf(data);
          } catch (error) {
            refusals.push(`for ${nameOf(data)}: ${describeError(error)}`);
          }
        }
        throw new Error(refusals.join("; "));
      },
    },
    {
      name: "lists its parameters once, under its own names",
      run: () => {
        expect(built !== undefined, "it cannot be built");
        const { parameters, fromForeign } = built.model;
        const names = parameters.map(({ name }) => name);
        const twice = names.find((name, index) => names.indexOf(name) !== index);
        expect(twice === undefined, `"${twice}" is listed twice`);
        const strange = names.find((name) => fromForeign(name) !== name);
        expect(strange === undefined, `fromForeign("${strange}") is not "${strange}"`);
        const empty = parameters.find(({ shape }) => !shape.every((extent) => Number.isInteger(extent) && extent > 0));
        expect(!empty, `"${empty?.name}" has the shape ${showShape(empty?.shape ?? [])}`);
        return `${names.length} tensors, ${parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)} numbers`;
      },
    },
    {
      name: "outputs have the shapes of the batch",
      run: async () => {
        for (const size of [1, 2, 5]) {
          await rig("float64", (opened, data) => expectShapes(opened, data, size), { size });
        }
      },
    },
    {
      name: "asks for every weight that it lists, and for no other",
      run: () =>
        rig("float64", (opened) => {
          for (const training of [true, false]) opened.ops.scope(() => void opened.forward(training));
          const unused = opened.model.parameters.find(({ name }) => !opened.asked.has(name));
          expect(!unused, `it never asks for "${unused?.name}"`);
          return Promise.resolve();
        }),
    },
    {
      name: "runs each layer alone as forward does",
      run: async () => {
        expect(built !== undefined, "it cannot be built");
        if (!built.model.runLayer) throw new Skipped("it has no runLayer: its layers cannot be replaced in training");
        return await rig("cpu", expectLayers);
      },
    },
    {
      name: "gradient agrees with finite differences",
      run: async () => {
        expect(built !== undefined, "it cannot be built");
        // Batch norm over a few numbers, as of a picture that shrank to one pixel, is no place to look at a gradient.
        const more = imageSize ? [] : largerImages(built.data);
        for (const [index, data] of [built.data, ...more].entries()) {
          const refine = index === more.length;
          const opened = new ModelRig(await rigs.ops("float64"), definition.build(options, data), data, BATCH);
          try {
            return await expectGradient(opened, refine) + (index === 0 ? "" : sizeName(data));
          } catch (error) {
            if (!(error instanceof Unsettled)) throw error;
            if (refine) throw new Error(error.message + sizeName(data));
          } finally {
            opened.dispose();
          }
        }
      },
    },
    { name: "evaluation is the same each time, and changes no weight", run: () => rig("cpu", expectEvaluation) },
    {
      name: "config builds the same model again",
      run: async () => {
        expect(built !== undefined, "it cannot be built");
        const config = JSON.parse(JSON.stringify(built.model.config));
        const read = savedOptions(definition, config) ?? definition.options(optionKit).parse(config);
        const again = definition.build(read, built.data);
        const listOf = ({ parameters }: Model) => parameters.map(({ name, shape }) => `${name} ${showShape(shape)}`);
        expect(listOf(again).join() === listOf(built.model).join(), "its parameters are others");
        expectEqual(await logitsOn("cpu", again), await logitsOn("cpu"), "of the model built again");
      },
    },
    {
      name: "gives without inner channels what it gives with them at zero",
      run: () =>
        rig("float64", async (opened, data) => {
          const { innerWidths = [] } = opened.model;
          if (innerWidths.length === 0) throw new Skipped("it names no innerWidths: its channels cannot be pruned");
          return await expectNarrower(opened, (widths) => {
            expect(
              definition.withWidths !== undefined,
              "it has innerWidths and no withWidths, which makes them smaller",
            );
            return definition.build(definition.withWidths(options, widths), data);
          });
        }),
    },
    onDevice("cpu"),
    onDevice("webgpu"),
    { name: "leaks no tensors", run: () => rig("cpu", expectNoLeaks) },
  ];
}

async function readLogits(ops: Ops, forward: () => ModelOutputs): Promise<Map<string, Floats>> {
  const logits = ops.scope(() => forward().logits);
  const numbers = await readNamed(ops, new Map([["logits", logits]]));
  logits.dispose();
  return numbers;
}

async function expectShapes(rig: ModelRig, { task, classes, text }: InputDescription, size: number): Promise<void> {
  const { ops } = rig;
  const outputs = ops.scope(() => rig.forward(false));
  const width = task === "regression" ? 1 : classes.length;
  const wanted = task === "tagging" ? [size, text!.maxLength, width] : [size, width];
  expect(
    outputs.logits.shape.join() === wanted.join(),
    `logits are ${showShape(outputs.logits.shape)}, not ${showShape(wanted)}`,
  );
  const others = tensorsOf(outputs);
  const wrong = [...others].find(([, { shape }]) => shape[0] !== size);
  expect(!wrong, `${wrong?.[0]} is ${showShape(wrong?.[1].shape ?? [])} for a batch of ${size}`);
  expect(outputs.pooled.shape.length === 2, `pooled is ${showShape(outputs.pooled.shape)}, not [batch, width]`);
  expectFinite(await readNamed(ops, others));
  // A tensor may well stand in several places.
  for (const tensor of new Set(others.values())) tensor.dispose();
}

function tensorsOf({ logits, features, hidden, attention, pooled }: ModelOutputs): Map<string, Tensor> {
  return new Map([
    ["logits", logits],
    ["pooled", pooled],
    ...Object.entries(features).map(([name, tensor]): [string, Tensor] => [`features.${name}`, tensor]),
    ...hidden.map((tensor, index): [string, Tensor] => [`hidden[${index}]`, tensor]),
    ...attention.map((tensor, index): [string, Tensor] => [`attention[${index}]`, tensor]),
  ]);
}

/** The size of a data set's images after a sentence: `, of images of 16x16`. */
function sizeName({ image }: InputDescription): string {
  return image ? `, of images of ${image.size.slice(0, 2).join("x")}` : "";
}

/** Of a few weights, from the first layer to the last. */
async function expectGradient(rig: ModelRig, refine: boolean): Promise<string> {
  const { ops, model, weights } = rig;
  const trainable = model.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  const names = spread(trainable.length, 12).map((index) => trainable[index]);
  const tensors = new Map(names.map((name) => [name, weights.get(name)!]));
  const value = () => {
    const { logits } = rig.forward(true);
    // Not the plain sum, by which a shift of all logits would count alone.
    const factors = ops.tensor(Float64Array.from({ length: logits.size }, (_, place) => Math.cos(place)), logits.shape);
    return ops.sum(ops.multiply(logits, factors));
  };
  const gradients = ops.scope(() => ops.differentiate(value, [...tensors.values()]).gradients);
  const named = await readNamed(ops, new Map(names.map((name, index) => [name, gradients[index]])));
  gradients.forEach((gradient) => gradient?.dispose());
  const compared = await checkGradient(ops, {
    tensors,
    gradients: named,
    value,
    perTensor: 2,
    tolerance: BY_DIFFERENCES,
    refine,
  });
  return `${compared} numbers`;
}

async function expectLayers(rig: ModelRig): Promise<string> {
  const { ops, model: { layerPrefixes = [] } } = rig;
  let asked: readonly number[] = [];
  for (const training of [true, false]) {
    const byLayers = await readLogits(ops, () => {
      const run = rig.forwardByLayers(training);
      asked = run.asked;
      return run.outputs;
    });
    const wanted = layerPrefixes.map((_, layer) => layer).join();
    expect(
      asked.join() === wanted,
      `forward asks replaceLayer for the layers ${asked.join() || "none"}, not ${wanted}`,
    );
    expectEqual(byLayers, await readLogits(ops, () => rig.forward(training)), "layer by layer");
  }
  return `${asked.length} layers`;
}

/** Every second channel of each inner width goes. */
async function expectNarrower(
  rig: ModelRig,
  build: (widths: ReadonlyMap<string, number>) => Model,
): Promise<string> {
  const { model, ops } = rig;
  const widths = model.innerWidths!;
  const kept = new Map(
    widths.map(({ name, size }) => [name, Array.from({ length: Math.ceil(size / 2) }, (_, place) => 2 * place)]),
  );
  const narrow = build(widthsOf(kept));
  const numbers = await rig.numbers();
  const left = withoutChannels(model, numbers, kept);
  const wrong = narrow.parameters.find(({ name, shape }) => left.get(name)?.length !== sizeOf(shape));
  expect(
    !wrong,
    `the narrower model has ${wrong?.name} ${showShape(wrong?.shape ?? [])}, for which there are other numbers`,
  );
  const zeroed = await readLogits(ops, () => rig.forwardOf(model, channelsAtZero(model, numbers, kept)));
  expectClose(await readLogits(ops, () => rig.forwardOf(narrow, left)), zeroed, NARROWER, "of the narrower model");
  return `${widths.length} widths`;
}

async function expectEvaluation(rig: ModelRig): Promise<void> {
  const before = await readNamed(rig.ops, rig.weights);
  const first = await readLogits(rig.ops, () => rig.forward(false));
  expectEqual(await readLogits(rig.ops, () => rig.forward(false)), first, "the second time");
  expectEqual(await readNamed(rig.ops, rig.weights), before, "after evaluation");
}

function expectNoLeaks(rig: ModelRig): Promise<void> {
  const live = () => rig.ops.backend.memory().storages;
  const run = () => rig.ops.scope(() => void rig.forward(true));
  run();
  const before = live();
  for (let pass = 0; pass < 3; pass++) run();
  expect(live() === before, `${live() - before} more tensors live after 3 more passes`);
  return Promise.resolve();
}
