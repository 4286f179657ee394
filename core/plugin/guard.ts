import { DeviceError, UserError, wordsOf } from "../errors.ts";
import { showText, showValue } from "../recipe/words.ts";
import { showShape, sizeOf, Tensor } from "../tensor.ts";
import type {
  Batch,
  Dataset,
  DatasetDefinition,
  Examples,
  HostTensor,
  InputDescription,
  ScoredPairs,
} from "./dataset.ts";
import type { OptionKit } from "./kit.ts";
import type { EpochCall, InputsCall, Loss, LossCall, LossDefinition, LossSetup, PrepareCall } from "./loss.ts";
import type { Model, ModelDefinition, ModelOutputs, OpenedModel } from "./model.ts";
import { declaredOnly, lackingOutput, requiredOutputs } from "./outputs.ts";
import { withMethods } from "./with_methods.ts";

/** A plug-in of any kind. */
export type Definition = LossDefinition | ModelDefinition | DatasetDefinition;

const guardedOnes = new WeakSet<Definition>();

/**
 * A definition that comes from outside of the program, as the program uses it: whatever goes wrong in it becomes one
 * sentence with its name, and what it gives is looked at before it is computed with. Built-in ones need no guard.
 *
 * @returns the definition itself if it is guarded already
 */
export function guardDefinition<Guarded extends Definition>(definition: Guarded): Guarded {
  if (guardedOnes.has(definition)) return definition;
  const guarded = { ...guardKind(definition), options: (kit: OptionKit) => optionsOf(definition, kit) } as Guarded;
  guardedOnes.add(guarded);
  return guarded;
}

/** Whether a definition is one from outside, as {@link guardDefinition} gives it. */
export function isGuarded(definition: Definition): boolean {
  return guardedOnes.has(definition);
}

function guardKind(given: Definition): Definition {
  if (given.kind === "loss") return { ...given, create: (...call) => createLoss(given, ...call) };
  if (given.kind === "dataset") return { ...given, load: (...call) => loadDataset(given, ...call) };
  if (given.kind !== "model") return given; // which the check of plug-ins refuses
  const who = whoIs(given);
  return {
    ...given,
    build: (...call) => buildModel(given, ...call),
    open: given.open && ((...call) => openModel(given, ...call)),
    record: given.record && ((...call) => naming(who, "record", () => given.record!(...call))),
    fromConfig: given.fromConfig && ((...call) => naming(who, "fromConfig", () => given.fromConfig!(...call))),
    fromWeights: given.fromWeights && ((...call) => naming(who, "fromWeights", () => given.fromWeights!(...call))),
    fromTeacher: given.fromTeacher && ((...call) => naming(who, "fromTeacher", () => given.fromTeacher!(...call))),
    withWidths: given.withWidths && ((...call) => naming(who, "withWidths", () => given.withWidths!(...call))),
  };
}

/** A definition for people: `data set "words"`. */
function whoIs({ kind, name }: Definition): string {
  return `${kind === "dataset" ? "data set" : kind} "${name}"`;
}

function optionsOf(definition: Definition, kit: OptionKit): ReturnType<Definition["options"]> {
  const who = whoIs(definition);
  const schema = naming(who, "options", () => definition.options(kit));
  if (typeof schema?.safeParse !== "function") {
    throw new UserError(`Cannot use the ${who}: its options must give a schema, z.strictObject({...})`);
  }
  // The schema itself but for its checks, which are code of the plug-in, too.
  const checking = (method: "safeParse" | "parse") => (value: unknown) =>
    naming(who, "a check of its options", () => schema[method](value));
  return Object.create(schema, { safeParse: { value: checking("safeParse") }, parse: { value: checking("parse") } });
}

/** As the plug-in creates it: at once, or as a promise. */
function createLoss(definition: LossDefinition, options: unknown, setup: LossSetup): Loss | Promise<Loss> {
  const who = whoIs(definition);
  const made = naming(who, "create", () => definition.create(options, setup));
  return made instanceof Promise ? made.then((loss) => guardLoss(loss, who, setup)) : guardLoss(made, who, setup);
}

function guardLoss(loss: Loss, who: string, setup: LossSetup): Loss {
  // What is not a loss at all, the pipeline refuses.
  if (!Array.isArray(loss?.teacherOutputs) || typeof loss.compute !== "function") return loss;
  const lacking = lackingOutput(loss.teacherOutputs, setup.shapes.teacher);
  if (lacking) throw new UserError(`Cannot use the ${who}: ${lacking}`);
  for (const kind of ["parameters", "state"] as const) {
    const specs: unknown = loss[kind] ?? [];
    if (Array.isArray(specs) && specs.every((spec) => typeof spec?.name === "string" && Array.isArray(spec.shape))) {
      continue;
    }
    throw new UserError(`Cannot use the ${who}: its ${kind} must be a list of { name, shape, initialise }`);
  }
  const seen = (call: LossCall): LossCall => ({ ...call, teacher: declaredOnly(call.teacher, loss.teacherOutputs) });
  return guarded(loss, who, {
    compute: (call: LossCall) => scalar(naming(who, "compute", () => loss.compute(seen(call))), "compute", who),
    endEpoch: loss.endEpoch && ((call: EpochCall) => {
      const metrics: unknown = naming(who, "endEpoch", () => loss.endEpoch!(call)) ?? {};
      if (typeof metrics !== "object") {
        throw new UserError(
          `Cannot use what endEpoch of the ${who} returns: expected scalars by name, got ${typeof metrics}`,
        );
      }
      const scalars = Object.entries(metrics!).map(([name, value]) => [name, scalar(value, "endEpoch", who)]);
      return Object.fromEntries(scalars);
    }),
    observe: loss.observe && ((call: LossCall) => {
      nothing(naming(who, "observe", () => loss.observe!(seen(call))), "observe", who);
    }),
    // One that is not async may give nothing at all, whatever its type says.
    prepare: loss.prepare && ((call: PrepareCall): Promise<void> => {
      const done: unknown = naming(who, "prepare", () => loss.prepare!(call));
      if (done instanceof Promise) return done.then((value) => nothing(value, "prepare", who));
      nothing(done, "prepare", who);
      return Promise.resolve();
    }),
    inputs: loss.inputs &&
      ((call: InputsCall) => hostTensors(naming(who, "inputs", () => loss.inputs!(call)), "inputs", who)),
  });
}

/** Of a method that changes something, and whose result nobody reads: whoever gives one takes it for something else. */
function nothing(value: unknown, method: string, who: string): void {
  if (value === undefined) return;
  const got = value instanceof Promise ? "a promise: it cannot wait" : showValue(value);
  throw new UserError(`Cannot use what ${method} of the ${who} returns: expected nothing, got ${got}`);
}

/** Tensors of a batch, on the host: `{ name: { data, shape } }`. */
function hostTensors(value: unknown, method: string, who: string): Batch<HostTensor> {
  const refuse = (got: string) =>
    new UserError(
      `Cannot use what ${method} of the ${who} returns: expected { name: { data: Float32Array, shape: [...] } }, got ${got}`,
    );
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Promise) {
    throw refuse(showValue(value));
  }
  for (const [name, tensor] of Object.entries(value)) {
    const { data, shape } = tensor ?? {};
    if (!(data instanceof Float32Array)) throw refuse(`${showValue(data)} as the data of ${showText(name)}`);
    const isShape = Array.isArray(shape) && shape.every((extent) => Number.isInteger(extent) && extent >= 0);
    if (!isShape) throw refuse(`${showValue(shape)} as the shape of ${showText(name)}`);
    if (sizeOf(shape) !== data.length) {
      throw refuse(`${data.length} numbers as ${showText(name)} of shape ${showShape(shape)}`);
    }
  }
  return value as Batch<HostTensor>;
}

function scalar(value: unknown, method: string, who: string): Tensor {
  if (value instanceof Tensor && value.shape.length === 0) return value;
  const got = value instanceof Tensor
    ? `a tensor of shape ${showShape(value.shape)}`
    : value instanceof Promise
    ? "a promise"
    : typeof value;
  throw new UserError(
    `Cannot use what ${method} of the ${who} returns: expected a scalar tensor of shape [], got ${got}`,
  );
}

function buildModel(definition: ModelDefinition, ...[options, data]: Parameters<ModelDefinition["build"]>): Model {
  const who = whoIs(definition);
  return guardModel(naming(who, "build", () => definition.build(options, data)), who, "its build must give");
}

type OpenCall = Parameters<NonNullable<ModelDefinition["open"]>>;

async function openModel(definition: ModelDefinition, ...call: OpenCall): Promise<OpenedModel> {
  const who = whoIs(definition);
  const opened = await naming(who, "open", () => definition.open!(...call));
  if (typeof opened?.dispose !== "function") {
    throw new UserError(`Cannot use the ${who}: its open must give { model, dispose() {...} }`);
  }
  return {
    model: guardModel(opened.model, who, "the model of its open must be"),
    dispose: () => naming(who, "dispose", () => opened.dispose()),
  };
}

function guardModel(model: Model, who: string, must: string): Model {
  if (!Array.isArray(model?.parameters) || typeof model.forward !== "function") {
    throw new UserError(`Cannot use the ${who}: ${must} { parameters: [...], forward(call) {...}, ... }`);
  }
  return guarded(model, who, {
    forward: (call: Parameters<Model["forward"]>[0]): ModelOutputs => {
      const outputs: Partial<ModelOutputs> | undefined = naming(who, "forward", () => model.forward(call));
      const missing = requiredOutputs.find((key) => outputs?.[key] === undefined);
      if (!missing) return outputs as ModelOutputs;
      throw new UserError(`Cannot use what forward of the ${who} returns: it has no ${missing}`);
    },
    hostOutputs: model.hostOutputs &&
      ((...call: Parameters<NonNullable<Model["hostOutputs"]>>) =>
        hostTensors(naming(who, "hostOutputs", () => model.hostOutputs!(...call)), "hostOutputs", who)),
  });
}

async function loadDataset(
  definition: DatasetDefinition,
  ...call: Parameters<DatasetDefinition["load"]>
): Promise<Dataset> {
  const who = whoIs(definition);
  return guardDataset(await naming(who, "load", () => definition.load(...call)), who, "load");
}

function guardDataset(dataset: Dataset, who: string, hook: "load" | "retokenise"): Dataset {
  const refuse = (must: string) => new UserError(`Cannot use the ${who}: ${must}`);
  if (!dataset?.input || !dataset.splits?.train || !dataset.splits.test) {
    throw refuse(`its ${hook} must give { input: {...}, splits: { train, test } }`);
  }
  // A list of examples that stands under two names stays one.
  const guardedOf = new Map<Examples, Examples>();
  const splits = Object.entries(dataset.splits).map(([name, examples]) => {
    if (typeof examples?.batch !== "function") {
      throw refuse(`its split ${name} must be { length, labels, batch(indices) {...} }`);
    }
    if (!guardedOf.has(examples)) {
      guardedOf.set(examples, guardExamples(examples, { who, split: name, input: dataset.input }));
    }
    return [name, guardedOf.get(examples)!];
  });
  const { input, retokenise, skipped, notes, warnings, close } = dataset;
  for (const [name, lines] of Object.entries({ notes, warnings })) {
    if (!lines || Array.isArray(lines) && lines.every((line) => typeof line === "string")) continue;
    throw refuse(`its ${name} must be a list of sentences`);
  }
  return {
    input,
    splits: Object.fromEntries(splits),
    ...(skipped && { skipped }),
    ...(notes && { notes }),
    ...(warnings && { warnings }),
    ...(close && { close: () => naming(who, "close", async () => await close()) }),
    ...(retokenise && {
      async retokenise(tokenizer: string) {
        const other = await naming(who, "retokenise", () => retokenise(tokenizer));
        return other === null ? null : guardDataset(other, who, "retokenise");
      },
    }),
  };
}

/** Whose examples they are. */
interface SplitOwner {
  readonly who: string;
  readonly split: string;
  readonly input: InputDescription;
}

/** No proxy as of {@link guarded}, through which each of a hundred thousand labels would be asked for. */
function guardExamples(examples: Examples, owner: SplitOwner): Examples {
  const { who, split } = owner;
  const { length, labels, labelled, lengths, source, pairs, equal } = examples;
  const refuse = (must: string) => new UserError(`Cannot use the ${who}: its split ${split} must ${must}`);
  if (!Number.isSafeInteger(length) || length < 0) {
    throw refuse(`have a length that is a number of examples, not ${showValue(length)}`);
  }
  if (labels && labels.length !== length) {
    throw refuse(`have ${length} labels, one for each example, not ${showValue(labels.length)}`);
  }
  const areMarks = !labelled || (labelled instanceof Uint8Array && labelled.every((mark) => mark <= 1));
  if (!areMarks || (labelled && labelled.length !== length)) {
    throw refuse(`have labelled, a Uint8Array of a 1 or a 0 for each of its ${length} examples, or not have it`);
  }
  if (labels && owner.input.task === "multi-label") {
    throw refuse("have null as its labels, as an example is of several classes: a batch's label has them");
  }
  if (equal && !(equal instanceof Uint32Array && equal.length === length)) {
    throw refuse(`have equal, a Uint32Array of a number for each of its ${length} examples, or not have it`);
  }
  if (pairs && !arePairs(pairs, length)) {
    throw refuse(
      `have pairs { first, second, scores } of numbers of its ${length} examples and finite scores, or none`,
    );
  }
  if (labels) checkLabels(labels, owner, (index) => index, labelled);
  return {
    length,
    labels,
    ...(labelled && { labelled }),
    ...(pairs && { pairs }),
    ...(lengths && { lengths }),
    ...(equal && { equal }),
    ...(examples.fetch && {
      fetch: (indices: Uint32Array) => naming(who, "fetch", async () => await examples.fetch!(indices)),
    }),
    ...(examples.ahead && {
      ahead: (indices: Uint32Array) => naming(who, "ahead", async () => await examples.ahead!(indices)),
    }),
    ...(source && { source }),
    batch(indices, augmentation) {
      const batch = hostTensors(naming(who, "batch", () => examples.batch(indices, augmentation)), "batch", who);
      for (const [name, { shape }] of Object.entries(batch)) {
        if (shape[0] === indices.length) continue;
        throw new UserError(
          `Cannot use what batch of the ${who} returns: expected ${indices.length} examples, got ${
            showText(name)
          } of ` +
            `shape ${showShape(shape)}`,
        );
      }
      if (!batch.label) throw new UserError(`Cannot use what batch of the ${who} returns: it has no label`);
      const each = batch.label.data.length / indices.length;
      const marks = labelled && Array.from(indices, (index) => labelled[index]);
      if (marks?.join() !== (batch.labelled && Array.from(batch.labelled.data).join())) {
        throw new UserError(
          `Cannot use what batch of the ${who} returns: expected ${
            labelled ? "labelled with the split's marks" : "no labelled, which the split has not"
          }, got ${batch.labelled ? "others" : "none"}`,
        );
      }
      checkLabelShape(batch, indices.length, owner);
      checkLabels(batch.label.data, owner, (index) => indices[Math.floor(index / each)], labelled);
      return batch;
    },
  };
}

/** Whether what pairs name is there. */
function arePairs({ first, second, scores }: ScoredPairs, length: number): boolean {
  const areExamples = (indices: Uint32Array) =>
    indices instanceof Uint32Array && indices.length === scores.length && indices.every((index) => index < length);
  return scores instanceof Float32Array && scores.every(Number.isFinite) && areExamples(first) && areExamples(second);
}

/** Refuses flags of another count than that of the classes, which would be those of other examples. */
function checkLabelShape({ label }: Batch<HostTensor>, count: number, { who, input }: SplitOwner): void {
  if (input.task !== "multi-label") return;
  const expected = [count, input.classes.length];
  if (label.shape.join() === expected.join()) return;
  throw new UserError(
    `Cannot use what batch of the ${who} returns: expected a label of shape ${
      showShape(expected)
    }, a 0 or a 1 for each ` +
      `class, got ${showShape(label.shape)}`,
  );
}

/** Refuses labels that are no classes: an index that is none would be computed with, and would be wrong in silence. */
function checkLabels(
  labels: ArrayLike<number>,
  { who, split, input }: SplitOwner,
  exampleOf: (index: number) => number,
  labelled?: Uint8Array,
) {
  const { task, classes } = input;
  const least = task === "tagging" ? -1 : 0;
  const none = task === "classification" ? -1 : 0;
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (labelled?.[exampleOf(index)] === 0 && task !== "tagging") {
      if (label === none) continue;
      throw new UserError(
        `Cannot use the ${who}: the label ${label} of example ${
          exampleOf(index)
        } of its split ${split} is not ${none}, ` +
          "though labelled says that it has none",
      );
    }
    const isRight = task === "regression"
      ? Number.isFinite(label)
      : task === "embedding"
      ? label === 0
      : task === "multi-label"
      ? label === 0 || label === 1
      : Number.isInteger(label) && label >= least && label < classes.length;
    if (isRight) continue;
    const right = task === "regression"
      ? "a finite number"
      : task === "embedding"
      ? "0, as nothing is asked about a text that becomes a vector"
      : task === "multi-label"
      ? "0 or 1"
      : `the number of one of its ${classes.length} classes, from 0` + (least < 0 ? ", or -1 where none counts" : "");
    throw new UserError(
      `Cannot use the ${who}: the label ${label} of example ${exampleOf(index)} of its split ${split} is not ${right}`,
    );
  }
}

/** An object whose methods tell under a name what goes wrong in them; some of them are replaced. */
function guarded<Part extends object>(part: Part, who: string, replaced: Partial<Part>): Part {
  return withMethods(part, (method, body) => naming(who, method, body), replaced);
}

/** Runs a plug-in's code; an error that is not yet a sentence for the user becomes one. */
function naming<Result>(who: string, method: string, body: () => Result): Result {
  const rethrow = (error: unknown): never => {
    if (error instanceof UserError || error instanceof DeviceError) throw error;
    throw new UserError(`The ${who} failed in ${method}: ${wordsOf(error)}`, { cause: error });
  };
  try {
    const result = body();
    return result instanceof Promise ? result.catch(rethrow) as Result : result;
  } catch (error) {
    return rethrow(error);
  }
}
