import type { Dataset, DatasetDefinition, Examples } from "./dataset.ts";
import { type Definition, isGuarded } from "./guard.ts";
import type { Loss, LossDefinition } from "./loss.ts";
import type { ModelDefinition } from "./model.ts";
import { withMethods } from "./with_methods.ts";

/** Runs something of a plug-in; a mistake that is told in it gets the plug-in's place in a recipe. */
export type Within = <Result>(body: () => Result) => Result;

/**
 * A plug-in of one's own as a recipe names it: whatever it refuses, and whatever goes wrong in it, at any time of a
 * run, is told with the line of its entry.
 *
 * @param definition a guarded one; a built-in one is given back as it is: its refusals are placed where it is called
 */
export function placeDefinition<Placed extends Definition>(definition: Placed, within: Within): Placed {
  if (!isGuarded(definition)) return definition;
  return {
    ...withMethods<Definition>(definition, (_, body) => within(body)),
    ...placedParts(definition, within),
  } as Placed;
}

/** The methods that give something which has methods itself. */
function placedParts(definition: Definition, within: Within): object {
  if (definition.kind === "loss") return lossParts(definition, within);
  return definition.kind === "model" ? modelParts(definition, within) : datasetParts(definition, within);
}

const placed = <Part extends object>(part: Part, within: Within): Part => withMethods(part, (_, body) => within(body));

function lossParts(definition: LossDefinition, within: Within): Pick<LossDefinition, "create"> {
  const create = (...call: Parameters<LossDefinition["create"]>) => definition.create(...call);
  // What is not a loss at all, the pipeline refuses.
  const place = (loss: Loss) => typeof loss === "object" && loss !== null ? placed(loss, within) : loss;
  return {
    create: (...call) =>
      within(() => {
        const made = create(...call);
        return made instanceof Promise ? made.then(place) : place(made);
      }),
  };
}

function modelParts({ build, open }: ModelDefinition, within: Within): Pick<ModelDefinition, "build" | "open"> {
  return {
    build: (...call) => within(() => placed(build(...call), within)),
    open: open && ((...call) =>
      within(async () => {
        const { model, dispose } = await open(...call);
        return { model: placed(model, within), dispose: () => within(dispose) };
      })),
  };
}

function datasetParts({ load }: DatasetDefinition, within: Within): Pick<DatasetDefinition, "load"> {
  return {
    load: (...call) => within(async () => placeDataset(await load(...call), within)),
  };
}

function placeDataset(dataset: Dataset, within: Within): Dataset {
  // A list of examples that stands under two names stays one.
  const placedOf = new Map<Examples, Examples>();
  const splits = Object.entries(dataset.splits).map(([name, examples]) => {
    if (!placedOf.has(examples)) {
      placedOf.set(examples, {
        ...examples,
        ...(examples.fetch && { fetch: (indices) => within(() => examples.fetch!(indices)) }),
        ...(examples.ahead && { ahead: (indices) => within(() => examples.ahead!(indices)) }),
        batch: (...call) => within(() => examples.batch(...call)),
      });
    }
    return [name, placedOf.get(examples)!];
  });
  const { retokenise } = dataset;
  return {
    ...dataset,
    splits: Object.fromEntries(splits),
    ...(retokenise && {
      retokenise: (tokenizer: string) =>
        within(async () => {
          const other = await retokenise(tokenizer);
          return other && placeDataset(other, within);
        }),
    }),
  };
}
