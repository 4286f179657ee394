import { Random } from "../../data/random.ts";
import { upload } from "../batch.ts";
import { initialise } from "../../nn/initialisers.ts";
import { weightsFrom } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import { valueAt } from "../../recipe/scheduled.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { InputDescription } from "../dataset.ts";
import type { Loss, LossCall, LossDefinition } from "../loss.ts";
import type { Model } from "../model.ts";
import { declaredOnly } from "../outputs.ts";
import { madeUpBatch } from "./inputs.ts";
import { following, type MadeUp, madeUpOutputs, shapesOf } from "./made_up_models.ts";
import { madeUpChains, madeUpModel, madeUpWeights } from "./made_up_weights.ts";
import { type Named, readNamed } from "./numbers.ts";
import { expect } from "./check.ts";

/** The setting in which a loss is checked. */
export interface LossRigOptions {
  readonly data: InputDescription;
  /** Examples in a batch. */
  readonly batch: number;
  /** How much wider the teacher's layers are than the student's. */
  readonly wider: number;
}

/** A step's results: the value, and the gradient by everything that is trained. */
export interface LossStep {
  readonly value: Named;
  readonly gradients: Named;
}

/** How many examples there seem to be. */
const EXAMPLES = 8;

/** A step at which every warm-up is over, and what falls to 0 in the course of training is not yet there. */
const LATE = 90;

/** A loss between a made-up student and a made-up teacher, run as the pipeline runs it. */
export class LossRig {
  /** The trained tensors: the student's outputs and cores, and the loss's own parameters. */
  readonly trained: ReadonlyMap<string, Tensor>;
  /** The tensors that the loss must leave as they are. */
  readonly given: ReadonlyMap<string, Tensor>;

  private constructor(
    readonly ops: Ops,
    readonly loss: Loss,
    private readonly call: LossCall,
    private readonly progress: { step: number },
    student: MadeUp,
    teacher: MadeUp,
    parameters: ReadonlyMap<string, Tensor>,
    private readonly own: readonly Tensor[],
  ) {
    const { weights } = call;
    const cores = [...madeUpCores(weights)];
    this.given = new Map([...student.named, ...teacher.named]);
    this.trained = new Map([...student.named, ...cores, ...parameters]);
  }

  /** Creates and prepares the loss. @throws whatever the loss refuses with */
  static async open(
    ops: Ops,
    definition: LossDefinition,
    options: unknown,
    { data, batch: size, wider }: LossRigOptions,
  ): Promise<LossRig> {
    const student = madeUpOutputs(ops, data, { who: "student", wider: 0, batch: size });
    const teacher = madeUpOutputs(ops, data, { who: "teacher", wider, batch: size });
    const classes = Math.max(1, data.classes.length);
    const whole = madeUpOutputs(ops, data, { who: "teacher", wider, batch: EXAMPLES });
    const models = [student, teacher].map(({ outputs }) => madeUpModel(classes, outputs.pooled.shape[1]));
    const taught: Model = { ...models[1], forward: ({ replaceLayer }) => following(ops, whole.outputs, replaceLayer) };
    const [ofStudent, ofTeacher] = [
      await madeUpWeights(ops, models[0], "student"),
      await madeUpWeights(ops, models[1], "teacher"),
    ];
    const shapes = { student: shapesOf(student.outputs), teacher: shapesOf(teacher.outputs) };
    const loss = await definition.create(options, {
      ops,
      data,
      student: models[0],
      teacher: taught,
      trainingExamples: EXAMPLES,
      labelledExamples: EXAMPLES,
      chains: madeUpChains(models[0], models[1], ofTeacher),
      startsFrom: new Map(),
      sameTokens: true,
      shapes,
      report: () => {},
    });
    expect(
      Array.isArray(loss?.teacherOutputs) && typeof loss.compute === "function",
      "create must give { teacherOutputs: [...], compute(call) {...} }",
    );
    const [parameters, state] = [ownTensors(ops, loss, "parameters"), ownTensors(ops, loss, "state")];
    const random = new Random(3);
    const oneEach = madeUpBatch(data, EXAMPLES).label.data;
    await loss.prepare?.({
      ops,
      labels: data.task === "classification" ? oneEach : null,
      overTrainingSet: async (choose) => {
        const chosen = ops.scope(() => copy(ops, choose(declaredOnly(whole.outputs, loss.teacherOutputs))));
        const numbers = Float32Array.from(await chosen.read());
        chosen.dispose();
        return numbers;
      },
      async *overTrainingBatches(compute, change) {
        expect(loss.runsTeacher === true, "a loss that calls overTrainingBatches must say runsTeacher: true");
        const indices = Uint32Array.from({ length: EXAMPLES }, (_, index) => index);
        const batch = madeUpBatch(data, EXAMPLES);
        const weights = weightsFrom(ofTeacher.tensors);
        const randomSeed = () => 0;
        const numbers = ops.scope(() => {
          const seen = upload(ops, change ? change(batch, indices) : batch);
          return copy(ops, compute({ ops, weights, batch: seen, training: false, randomSeed }));
        });
        yield { indices, shape: numbers.shape, data: await numbers.read() };
        numbers.dispose();
      },
      teacherWeights: weightsFrom(ofTeacher.tensors),
      state: weightsFrom(state),
      random: random.split("prepare"),
    });
    whole.named.forEach((tensor) => tensor.dispose());
    const indices = Uint32Array.from({ length: size }, (_, index) => index);
    const inputs = loss.inputs?.({ indices, random: random.split("inputs") }) ?? {};
    const batch = upload(ops, { ...madeUpBatch(data, size), ...inputs });
    const progress = { step: 0, totalSteps: 100, stepsPerEpoch: 2 };
    const call: LossCall = {
      ops,
      student: student.outputs,
      teacher: declaredOnly(teacher.outputs, loss.teacherOutputs),
      batch,
      weights: weightsFrom(ofStudent.tensors, ofStudent.cores),
      parameters: weightsFrom(parameters),
      state: weightsFrom(state),
      at: (value) => valueAt(value, progress),
    };
    const weights = [ofStudent, ofTeacher].flatMap((
      { tensors, cores },
    ) => [...tensors.values(), ...[...cores.values()].flat()]);
    const own = [...Object.values(batch), ...parameters.values(), ...state.values(), ...weights];
    return new LossRig(ops, loss, call, progress, student, teacher, parameters, own);
  }

  /** The loss of now, alone. */
  compute(): Tensor {
    let value: Tensor | undefined;
    // As in a step, where a loss may take gradients; nothing else is differentiated.
    this.ops.differentiate(() => {
      value = this.#compute();
      return this.ops.scalar(0);
    }, [...this.trained.values()]);
    return value!;
  }

  #compute(): Tensor {
    return this.loss.compute({ ...this.call, student: following(this.ops, this.call.student) });
  }

  /**
   * What one step does: value and gradients, and the loss looks at the outputs.
   *
   * @param observing whether it may look
   */
  async step(observing = true): Promise<LossStep> {
    const { ops, loss, trained } = this;
    const { value, gradients } = ops.scope(() => {
      let value: Tensor | undefined;
      const { gradients } = ops.differentiate(() => {
        value = this.#compute();
        if (observing) ops.constant(() => loss.observe?.(this.call));
        return value;
      }, [...trained.values()]);
      return { value: value!, gradients };
    });
    const named = new Map([...trained.keys()].map((name, index) => [name, gradients[index]]));
    const read = {
      value: await readNamed(ops, new Map([["the value", value]])),
      gradients: await readNamed(ops, named),
    };
    for (const tensor of [value, ...gradients]) tensor?.dispose();
    return read;
  }

  /** Ends an epoch, and goes on late in training. */
  async advance(): Promise<void> {
    const { ops, loss, call } = this;
    this.progress.step = LATE;
    const metrics = ops.scope(() => loss.endEpoch?.({ ops, state: call.state, epoch: 1 }) ?? {});
    for (const [name, metric] of Object.entries(metrics)) {
      expect(metric.size === 1, `endEpoch gives ${metric.size} numbers as ${name}, not one`);
      await metric.read();
    }
    const kept = new Set(this.own);
    for (const metric of Object.values(metrics)) if (!kept.has(metric)) metric.dispose();
  }

  /** Frees what was made for it; what the loss keeps for itself as long as a run is left to the backend. */
  dispose(): void {
    for (const tensor of [...this.given.values(), ...this.own]) tensor.dispose();
  }
}

/** The same numbers as a tensor of its own. */
const copy = (ops: Ops, tensor: Tensor) => ops.scale(tensor, 1);

function* madeUpCores(weights: LossCall["weights"]): Generator<[string, Tensor]> {
  for (const name of madeUpModel(1, 1).parameters.map(({ name }) => name)) {
    for (const [index, core] of (weights.cores(name) ?? []).entries()) yield [`core ${index} of ${name}`, core];
  }
}

function ownTensors(ops: Ops, loss: Loss, kind: "parameters" | "state"): Map<string, Tensor> {
  const random = new Random(4).split(kind);
  return new Map((loss[kind] ?? []).map(({ name, shape, initialise: how }) => {
    const numbers = initialise(how, shape, random.split(name));
    expect(numbers.length === sizeOf(shape), `the shape [${shape}] of ${name} must be of whole numbers`);
    return [name, ops.keep(ops.tensor(numbers, shape))];
  }));
}
