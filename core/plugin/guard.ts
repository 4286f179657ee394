import { DeviceError, UserError } from "../errors.ts";
import { showShape, Tensor } from "../tensor.ts";
import type { DatasetDefinition } from "./dataset.ts";
import type { Loss, LossCall, LossDefinition, LossSetup } from "./loss.ts";
import type { Model, ModelDefinition, ModelOutputs, OpenedModel } from "./model.ts";
import { declaredOnly, lackingOutput, requiredOutputs } from "./outputs.ts";

type Definition = LossDefinition | ModelDefinition | DatasetDefinition;

/**
 * A definition that comes from outside of the program, as the program uses it: whatever goes wrong in it becomes one
 * sentence with its name, and what it gives is looked at before it is computed with. Built-in ones need no guard.
 */
export function guardDefinition<Guarded extends Definition>(definition: Guarded): Guarded {
  const given: Definition = definition;
  if (given.kind === "loss") return { ...given, create: (...call) => createLoss(given, ...call) } as Guarded;
  if (given.kind === "model") {
    const open = given.open && ((...call: OpenCall) => openModel(given, ...call));
    return { ...given, build: (...call) => buildModel(given, ...call), open } as Guarded;
  }
  const who = `data set "${given.name}"`;
  return { ...given, load: (...call) => naming(who, "load", () => given.load(...call)) } as Guarded;
}

async function createLoss(definition: LossDefinition, options: unknown, setup: LossSetup): Promise<Loss> {
  const who = `loss "${definition.name}"`;
  const loss = await naming(who, "create", () => definition.create(options, setup));
  // What is not a loss at all, the pipeline refuses.
  if (!Array.isArray(loss?.teacherOutputs) || typeof loss.compute !== "function") return loss;
  const lacking = lackingOutput(loss.teacherOutputs, setup.shapes.teacher);
  if (lacking) throw new UserError(`Cannot use the ${who}: ${lacking}`);
  const seen = (call: LossCall): LossCall => ({ ...call, teacher: declaredOnly(call.teacher, loss.teacherOutputs) });
  return guarded(loss, who, {
    compute: (call: LossCall) => scalar(naming(who, "compute", () => loss.compute(seen(call))), who),
    observe: loss.observe && ((call: LossCall) => naming(who, "observe", () => loss.observe!(seen(call)))),
  });
}

function scalar(value: unknown, who: string): Tensor {
  if (value instanceof Tensor && value.shape.length === 0) return value;
  const got = value instanceof Tensor
    ? `a tensor of shape ${showShape(value.shape)}`
    : value instanceof Promise
    ? "a promise"
    : typeof value;
  throw new UserError(
    `Cannot use what compute of the ${who} returns: expected a scalar tensor of shape [], got ${got}`,
  );
}

function buildModel(definition: ModelDefinition, ...[options, data]: Parameters<ModelDefinition["build"]>): Model {
  const who = `model "${definition.name}"`;
  return guardModel(naming(who, "build", () => definition.build(options, data)), who, "its build must give");
}

type OpenCall = Parameters<NonNullable<ModelDefinition["open"]>>;

async function openModel(definition: ModelDefinition, ...call: OpenCall): Promise<OpenedModel> {
  const who = `model "${definition.name}"`;
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
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(`The ${who} failed in ${method}: ${message}`, { cause: error });
  };
  try {
    const result = body();
    return result instanceof Promise ? result.catch(rethrow) as Result : result;
  } catch (error) {
    return rethrow(error);
  }
}
