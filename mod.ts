/**
 * Over-parameterised knowledge distillation (OPDF, arXiv 2411.06448) on any GPU: a student's weight matrices are
 * decomposed into chains of tensors with more parameters than the matrices had, the chains are trained against a
 * teacher, and then contracted back, so that the student that ships is as small as before.
 *
 * @example Run a recipe
 * ```ts
 * import { builtins, distill, openBackend, readRecipe } from "@opdf/opdf";
 *
 * const recipe = await readRecipe("tasks/recipes/quickstart.yaml");
 * const { backend } = await openBackend("auto");
 * const summary = await distill(recipe, { backend, builtins });
 * console.log(summary.student.accuracy);
 * await backend.close();
 * ```
 *
 * @example Decompose a matrix and contract it back
 * ```ts
 * import { coreTensors, createOps, decomposeMatrix, mergeChain, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const matrix = Float32Array.from({ length: 12 * 12 }, Math.random);
 * const { chain } = await decomposeMatrix(matrix, 12, 12, { rows: [4, 1, 3], cols: [4, 1, 3] });
 * const merged = mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols);
 * await backend.close();
 * ```
 *
 * @module
 */

// Errors.
export { DeviceError, TensorTooLarge, UserError } from "./core/errors.ts";

// Backends, and the kernels they run.
export {
  type BackendChoice,
  type BackendOptions,
  openBackend,
  type OpenedBackend,
} from "./core/backend/open_backend.ts";
export type { Backend, Floats, MemoryUse, Storage, View, WorkCount } from "./core/backend/backend.ts";
export type { Call, CopyCall, KernelCall, Program } from "./core/backend/program.ts";
export type { Exchange, GpuExchange, HostExchange } from "./core/backend/exchange.ts";
export type { AdapterTraits, AnyKernel, ElementType, Kernel, Launch, ParameterType } from "./core/backend/kernel.ts";
export type { WasmRuntime } from "./core/backend/cpu/wasm_runtime.ts";
export type { ConvShape, WasmKernels } from "./core/backend/cpu/wasm/wasm_kernels.ts";

// Tensors, and differentiable operations on them.
export { showShape, sizeOf, Tensor } from "./core/tensor.ts";
export { Device, type DeviceObserver } from "./core/device.ts";
export {
  type BoundPrimitives,
  type Composites,
  createOps,
  type Differentiated,
  type Ops,
  type TensorLife,
} from "./core/ops/ops.ts";
export type { BackwardCall, Forward, Op } from "./core/ops/op.ts";
export type { BestPaths } from "./core/ops/viterbi.ts";
export * from "./core/contract.ts";

// Matrices as chains of tensors (matrix product operators).
export * from "./core/mpo/chain.ts";
export * from "./core/mpo/shapes.ts";
export * from "./core/mpo/automatic_shapes.ts";
export * from "./core/mpo/decompose.ts";
export * from "./core/mpo/linear_algebra.ts";
export { type Gauge, GAUGES } from "./core/mpo/gauge.ts";
export type { Truncation } from "./core/mpo/truncate.ts";
export { mergeChain, mergeOnHost, planMerge } from "./core/mpo/merge_chain.ts";

// Plug-ins: models, losses and data sets.
export * from "./core/plugin/model.ts";
export * from "./core/plugin/loss.ts";
export * from "./core/plugin/dataset.ts";
export * from "./core/plugin/kit.ts";
export type { Builtins, Definitions, PluginFile, PluginKind } from "./core/plugin/registry.ts";
export type { Initialiser } from "./core/nn/initialisers.ts";
export type { ChainMap, ChainSpec } from "./core/plugin/chains.ts";
export type { InPlaceOfTensors, OutputShapes, OutputTree } from "./core/plugin/output_tree.ts";
export { Random } from "./core/data/random.ts";
export { builtins } from "./plugins/builtins.ts";

// Saved models, to be run.
export { openModel, type OpenModelOptions } from "./plugins/open_model.ts";
export type { ComputingOn, OpenFolderOptions } from "./core/predict/open_model.ts";
export * from "./core/predict/loaded_model.ts";
export type {
  FolderTokenizer,
  ImageInputs,
  ModelInputs,
  TextInputs,
  TokenizerOpener,
  WordInputs,
} from "./core/predict/inputs.ts";

// A loss by itself.
export { loss } from "./plugins/loss.ts";
export type { GivenOutputs, LossFunction, LossInputs } from "./core/plugin/loss_function.ts";

// Weights, and what trains them.
export { type Weights, weightsFrom } from "./core/nn/weights.ts";
export { freeze, type FrozenWeights } from "./core/nn/frozen_weights.ts";
export * from "./core/nn/parameter_store.ts";
export { type NamedShape, type Place, type RateSegment, type StorePart, TensorStore } from "./core/nn/tensor_store.ts";
export * from "./core/nn/optimisers.ts";
export {
  type Curve,
  learningRateAt,
  type LearningRateSchedule,
  type Progress,
  type WarmUp,
} from "./core/nn/schedules.ts";

// Metrics of a model.
export * from "./core/evaluate/evaluate.ts";
export type { ClassName } from "./core/evaluate/metrics/metrics.ts";
export type { SpanScores, TypeScores } from "./core/evaluate/metrics/spans.ts";
export type { Confusion } from "./core/evaluate/metrics/confusion.ts";

// Contract checks of plug-ins.
export { type CheckOptions, checkPlugin } from "./core/plugin/check/check_plugin.ts";
export type { CheckResult } from "./core/plugin/check/check.ts";
export type { DefinitionSetup } from "./core/plugin/check/definition_checks.ts";

// Recipes.
export { readRecipe } from "./core/recipe/recipe.ts";
export type * from "./core/recipe/recipe_type.ts";
export { type Scheduled, scheduled, valueAt } from "./core/recipe/scheduled.ts";
export { dataFile } from "./core/recipe/data_file.ts";
export type { Checked, ParseOptions, PartOf, Section } from "./core/recipe/checked.ts";
export type { Override } from "./core/recipe/overrides.ts";
export type { Path } from "./core/recipe/paths.ts";
export type { NumberSchema, Schema } from "./core/recipe/zod_schema.ts";

// Distillation.
export * from "./core/distill/distill.ts";
export type { FolderClaim, RunFolder } from "./core/distill/run_folder.ts";
export { Run, type Split } from "./core/distill/run.ts";
export type { RunOptions, RunParts } from "./core/distill/open_run.ts";
export type { Stopwatch } from "./core/distill/stopwatch.ts";
export type { RunData } from "./core/distill/load_data.ts";
export type { LoadedTeacher } from "./core/distill/teacher/load_teacher.ts";
export type { Teacher } from "./core/distill/teacher/teacher_outputs.ts";
export type { TaughtModel } from "./core/distill/student/initial_weights.ts";
export type { Student } from "./core/distill/student/student.ts";
export type { ExportedStudent } from "./core/distill/student/export_student.ts";
export type { LossSet } from "./core/distill/losses/loss_set.ts";
export type { Objective, ObjectiveCall, WeightedLoss } from "./core/distill/losses/objective.ts";
export type { LossMetrics } from "./core/distill/losses/epoch.ts";
export type { StepRecord, TrainingStep } from "./core/distill/training/training_step.ts";
export type { Training, TrainingResult } from "./core/distill/training/training.ts";
export * from "./core/distill/progress.ts";
export * from "./core/distill/stops.ts";
export type { RunSummary } from "./core/distill/summary.ts";

// Files of tensors.
export * from "./core/safetensors.ts";
