import { DeviceError, UserError, wordsOf } from "../errors.ts";
import { showShape, Tensor } from "../tensor.ts";
import type { Dataset, DatasetDefinition, Examples } from "./dataset.ts";
import type { OptionKit } from "./kit.ts";
import type { EpochCall, Loss, LossCall, LossDefinition, LossSetup } from "./loss.ts";
import type { Model, ModelDefinition, ModelOutputs, OpenedModel } from "./model.ts";
import { declaredOnly, lackingOutput, requiredOutputs } from "./outputs.ts";

type Definition = LossDefinition | ModelDefinition | DatasetDefinition;

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

function guardKind(given: Definition): Definition {
  if (given.kind === "loss") return { ...given, create: (...call) => createLoss(given, ...call) };
  if (given.kind === "dataset") return { ...given, load: (...call) => loadDataset(given, ...call) };
  if (given.kind !== "model") return given; // which the check of plug-ins refuses
  const who = whoIs(given);
  return {
    ...given,
    build: (...call) => buildModel(given, ...call),
    open: given.open && ((...call) => openModel(given, ...call)),
    fromConfig: given.fromConfig && ((...call) => naming(who, "fromConfig", () => given.fromConfig!(...call))),
    fromWeights: given.fromWeights && ((...call) => naming(who, "fromWeights", () => given.fromWeights!(...call))),
    fromTeacher: given.fromTeacher && ((...call) => naming(who, "fromTeacher", () => given.fromTeacher!(...call))),
  };
}

/** A definition for people: `data set "words"`. */
function whoIs({ kind, name }: Definition): string {
  return `${kind === "dataset" ? "data set" : kind} "${name}"`;
}

function optionsOf(definition: Definition, kit: OptionKit): ReturnType<Definition["options"]> {
  const who = whoIs(definition);
  const schema = naming(who, "options", () => definition.options(kit));
  if (typeof schema?.safeParse === "function") return schema;
  throw new UserError(`Cannot use the ${who}: its options must give a schema, z.strictObject({...})`);
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
    observe: loss.observe && ((call: LossCall) => naming(who, "observe", () => loss.observe!(seen(call)))),
  });
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
    if (!guardedOf.has(examples)) guardedOf.set(examples, guardExamples(examples, who));
    return [name, guardedOf.get(examples)!];
  });
  const { input, retokenise } = dataset;
  return {
    input,
    splits: Object.fromEntries(splits),
    ...(retokenise && {
      async retokenise(tokenizer: string) {
        const other = await naming(who, "retokenise", () => retokenise(tokenizer));
        return other === null ? null : guardDataset(other, who, "retokenise");
      },
    }),
  };
}

/** No proxy as of {@link guarded}, through which each of a hundred thousand labels would be asked for. */
function guardExamples(examples: Examples, who: string): Examples {
  const { length, labels, lengths } = examples;
  return {
    length,
    labels,
    ...(lengths && { lengths }),
    batch: (...call) => naming(who, "batch", () => examples.batch(...call)),
  };
}

/**
 * An object whose methods tell under a name what goes wrong in them; some of them are replaced. The object itself is
 * left as it is, and its methods are called on it, so that one of a class keeps its private fields.
 */
function guarded<Part extends object>(part: Part, who: string, replaced: Partial<Part>): Part {
  const get = (key: string | symbol): unknown => {
    if (Object.hasOwn(replaced, key)) return Reflect.get(replaced, key);
    const value = Reflect.get(part, key);
    if (typeof value !== "function") return value;
    return (...call: unknown[]) => naming(who, String(key), () => value.apply(part, call));
  };
  return new Proxy({} as Part, {
    get: (_, key) => get(key),
    has: (_, key) => Reflect.has(part, key),
    // For copies such as { ...loss }.
    ownKeys: () => Reflect.ownKeys(part),
    getOwnPropertyDescriptor: (_, key) => ({ value: get(key), enumerable: true, configurable: true, writable: true }),
  });
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
