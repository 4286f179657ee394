import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { initialise, type Initialiser } from "../../nn/initialisers.ts";
import { hold } from "../../nn/hold.ts";
import { ParameterStore } from "../../nn/parameter_store.ts";
import { type Weights, weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Batch, HostTensor } from "../../plugin/dataset.ts";
import type { Loss, LossSetup } from "../../plugin/loss.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Scheduled } from "../../recipe/scheduled.ts";
import { listWords } from "../../recipe/words.ts";
import type { Tensor } from "../../tensor.ts";
import type { Resolved } from "../resolve_plugins.ts";
import { ofEmbedding, ofLacking, ofTopLogits, withGivenShapes } from "./given_shapes.ts";
import { endEpoch, type LossMetrics } from "./epoch.ts";
import { lossInputs } from "./inputs.ts";
import { lossTerms, type Objective, objective, type ObjectiveCall, type WeightedLoss } from "./objective.ts";
import { type PreparationSetup, prepareLosses } from "./prepare.ts";

/** Outputs that a model of texts gives for each token. */
const TOKENWISE: readonly string[] = ["features", "hidden", "attention", "scores", "relations"];

/** A loss that was created, with its factor. */
export interface LossEntry {
  /** Its plug-in's name, numbered where it stands more than once. */
  readonly name: string;
  readonly weight: Scheduled;
  readonly loss: Loss;
}

/** The losses of a run, with the parameters and the state that they own. */
export class LossSet implements Disposable {
  /** The losses, each with its own parameters and state. */
  readonly all: readonly WeightedLoss[];
  /** The parameters of the losses, under names that no other loss has. */
  readonly parameters: ParameterStore;
  /** The tensors that losses keep from step to step, by their names in a checkpoint. */
  readonly state: ReadonlyMap<string, Tensor>;

  /**
   * Gives losses fresh parameters and state, where they own any.
   *
   * @param random has a stream for each of these tensors
   * @param gives the only outputs of the student that losses may look at; unset: all
   *
   * @internal
   */
  constructor(private readonly ops: Ops, entries: readonly LossEntry[], random: Random, gives?: Model["gives"]) {
    const specs = ownedBy(entries, "parameters");
    this.parameters = new ParameterStore(ops, specs);
    for (const { name, initialise: how, shape } of specs) {
      this.parameters.set(name, initialise(how, shape, random.split(name)));
    }
    const stateSpecs = ownedBy(entries, "state");
    this.state = new Map(stateSpecs.map(({ name, initialise: how, shape }) => {
      const numbers = initialise(how, shape, random.split(`state of ${name}`));
      return [name, hold(ops, numbers, shape, `the loss's state "${name}"`, "fewer training examples")];
    }));
    this.all = entries.map((entry, index) => ({
      ...entry,
      gives,
      parameters: tensorsOf(index, specs, this.parameters.tensors),
      state: tensorsOf(index, stateSpecs, this.state),
    }));
  }

  /**
   * Creates the losses that a recipe names.
   *
   * @throws UserError with line and column for options that do not fit the models, or a loss that needs a missing
   * teacher
   *
   * @internal
   */
  static async build(
    recipe: Section<Recipe["losses"]>,
    resolved: readonly Resolved<"loss">[],
    setup: LossSetup,
    random: Random,
  ): Promise<LossSet> {
    const names = numbered(resolved.map(({ definition }) => definition.name));
    const entries: LossEntry[] = [];
    for (const [index, { definition, options }] of resolved.entries()) {
      const loss = await recipe.within([index], async () => {
        const loss = await definition.create(options, withGivenShapes(setup, definition.name));
        if (!Array.isArray(loss?.teacherOutputs) || typeof loss.compute !== "function") {
          throw new UserError(
            `Cannot use the loss "${definition.name}": its create must give { teacherOutputs: [...], compute(call) {...} }`,
          );
        }
        if (loss.teacherOutputs.length > 0 && !setup.teacher) {
          throw new UserError(`Cannot use the loss "${definition.name}" without a teacher`);
        }
        if (loss.labels === "some" && setup.data.task === "embedding") throw ofEmbedding(definition.name, "labels");
        if (loss.labels === "some" && setup.labelledExamples === 0) {
          throw new UserError(
            `Cannot use the loss "${definition.name}" as it learns from labels, and none of the ` +
              `${setup.trainingExamples} training examples has one: use losses that learn from the teacher alone, such ` +
              "as kd",
          );
        }
        const { topLogits } = setup;
        if (topLogits && loss.teacherOutputs.includes("logits")) {
          throw ofTopLogits(definition.name, topLogits, "it needs all of the teacher's logits");
        }
        if (topLogits && loss.runsTeacher) {
          throw ofTopLogits(definition.name, topLogits, "it runs the teacher itself, and sees all of its logits");
        }
        const lacking = loss.teacherOutputs.find((output) => setup.teacher?.gives?.includes(output) === false);
        if (lacking !== undefined) throw ofLacking(setup, definition.name, lacking);
        const compared = loss.teacherOutputs.filter((output) => TOKENWISE.includes(output));
        if (!setup.sameTokens && compared.length > 0 && loss.tokenwise !== false) {
          throw new UserError(
            `Cannot use the loss "${definition.name}" as the teacher has another tokenizer: its ${
              listWords(compared, "and")
            } of each token are of other tokens; name the teacher's as dataset.tokenizer, or use losses on logits or ` +
              "pooled outputs",
          );
        }
        return loss;
      });
      entries.push({ name: names[index], weight: recipe.value[index].weight, loss });
    }
    return new LossSet(setup.ops, entries, random, setup.student.gives);
  }

  /** Names of the teacher's outputs that the losses read. */
  get wanted(): ReadonlySet<string> {
    return new Set(this.all.flatMap(({ loss }) => loss.teacherOutputs));
  }

  /** The temperatures for which they read the rest of its largest logits, in ascending order. */
  get temperatures(): readonly number[] {
    return [...new Set(this.all.flatMap(({ loss }) => loss.temperatures ?? []))].sort((a, b) => a - b);
  }

  /** Lets every loss that has a use for it look at the training data, one after another. @throws UserError */
  async prepare(recipe: Section<Recipe["losses"]>, setup: PreparationSetup): Promise<void> {
    await prepareLosses(this.ops, this.all, recipe, setup);
  }

  /** The losses' own entries of a step's batch; see {@link lossInputs}. */
  inputs(indices: Uint32Array, random: Random): Batch<HostTensor> {
    return lossInputs(this.all, indices, random);
  }

  /** The sum that training minimises; see {@link objective}. */
  objective(call: Omit<ObjectiveCall, "ops">): Objective {
    return objective(this.all, { ...call, ops: this.ops });
  }

  /** The sum that training minimises, with none of the losses' state changed. */
  tentative(call: Omit<ObjectiveCall, "ops">): Tensor {
    return objective(this.#onCopies(), { ...call, ops: this.ops }).total;
  }

  /** Every loss before its weight, with none of their state changed. */
  rehearse(call: Omit<ObjectiveCall, "ops">): Tensor[] {
    return lossTerms(this.#onCopies(), { ...call, ops: this.ops });
  }

  /** The losses with copies of their state. */
  #onCopies(): WeightedLoss[] {
    const copy = (tensor: Tensor) => this.ops.scale(tensor, 1);
    return this.all.map(({ state, ...entry }) => {
      const copies: Weights = {
        get: (name) => copy(state.get(name)),
        rows: (name) => state.rows(name).map(copy),
        cores: () => null,
      };
      return { ...entry, state: copies };
    });
  }

  /** Lets every loss end an epoch, and reads what they report in one wait. */
  async endEpoch(epoch: number): Promise<LossMetrics> {
    return await endEpoch(this.ops, this.all, epoch);
  }

  /** Numbers in the order of the losses, by their names. */
  byName(values: readonly number[]): Record<string, number> {
    return Object.fromEntries(this.all.map(({ name }, index) => [name, values[index]]));
  }

  /** @internal */
  dispose(): void {
    this.parameters.dispose();
    for (const tensor of this.state.values()) tensor.dispose();
  }

  /** @internal */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** `kd`, or `kd 2` for the second of them. */
function numbered(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

/** A tensor of a loss, under a name that no other loss has. */
interface Owned {
  readonly name: string;
  /** The name that the loss gave it. */
  readonly own: string;
  /** The loss's place. */
  readonly loss: number;
  readonly shape: readonly number[];
  readonly initialise: Initialiser;
}

function ownedBy(entries: readonly LossEntry[], kind: "parameters" | "state"): Owned[] {
  return entries.flatMap(({ name: owner, loss }, index) =>
    (loss[kind] ?? []).map(({ name, shape, initialise }) => {
      return { name: `${owner}: ${name}`, own: name, loss: index, shape, initialise };
    })
  );
}

function tensorsOf(loss: number, specs: readonly Owned[], tensors: ReadonlyMap<string, Tensor>): Weights {
  const own = specs.filter((spec) => spec.loss === loss);
  return weightsFrom(new Map(own.map((spec) => [spec.own, tensors.get(spec.name)!])));
}
