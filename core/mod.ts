/**
 * Everything but the plug-ins, wherever there is JavaScript: in Deno, in browsers, in their workers. It asks for no
 * permission, and has no files but those that {@link useFiles} names.
 *
 * @example Distil where there is no disk
 * ```ts
 * import { distill, memoryFiles, openBackend, readRecipe, useFiles } from "@opdf/opdf/core";
 * import { builtins } from "@opdf/opdf/plugins";
 *
 * const response = await fetch("https://example.org/recipe.yaml");
 * useFiles(memoryFiles({ "recipe.yaml": await response.text() }));
 * const { backend } = await openBackend("auto");
 * await distill(await readRecipe("recipe.yaml"), { backend, builtins });
 * await backend.close();
 * ```
 *
 * @module
 */

// Errors.
export { DeviceError, OptionError, TensorTooLarge, UserError } from "./errors.ts";

// Backends, and the kernels they run.
export { type BackendChoice, type BackendOptions, openBackend, type OpenedBackend } from "./backend/open_backend.ts";
export type { NumberFormat } from "./backend/format.ts";
export type { Backend, Floats, MemoryUse, Storage, View, WorkCount } from "./backend/backend.ts";
export type { Call, CopyCall, KernelCall, Program } from "./backend/program.ts";
export type { Exchange, GpuExchange, HostExchange } from "./backend/exchange.ts";
export type { AdapterTraits, AnyKernel, ElementType, Kernel, Launch, ParameterType } from "./backend/kernel.ts";
export type { WasmRuntime } from "./backend/cpu/wasm_runtime.ts";
export type { Float64Kernels } from "./backend/cpu/wasm/float64_kernels.ts";
export type { ConvAffine, ConvShape, DepthwiseShape, WasmKernels } from "./backend/cpu/wasm/wasm_kernels.ts";
export type { LibrarySvd } from "./native_library.ts";

// Tensors, and differentiable operations on them.
export { showShape, sizeOf, Tensor } from "./tensor.ts";
export { Device, type DeviceObserver } from "./device.ts";
export {
  type BoundPrimitives,
  type Composites,
  createOps,
  type Differentiated,
  type Ops,
  type TensorLife,
} from "./ops/ops.ts";
export type { BackwardCall, Forward, Op } from "./ops/op.ts";
export type { BestPaths } from "./ops/viterbi.ts";
export type { BatchNormOptions } from "./ops/batch_norm.ts";
export type { ConvOptions, WindowOptions } from "./ops/window.ts";
export * from "./contract.ts";

// Matrices as chains of tensors (matrix product operators).
export * from "./mpo/chain.ts";
export * from "./mpo/shapes.ts";
export * from "./mpo/automatic_shapes.ts";
export * from "./mpo/decompose.ts";
export * from "./mpo/linear_algebra.ts";
export { type Gauge, GAUGES } from "./mpo/gauge.ts";
export type { Truncation } from "./mpo/truncate.ts";
export { mergeChain, mergeOnHost, planMerge } from "./mpo/merge_chain.ts";

// Plug-ins: models, losses and data sets.
export * from "./plugin/model.ts";
export * from "./plugin/loss.ts";
export * from "./plugin/dataset.ts";
export * from "./plugin/kit.ts";
export type { Builtins, Definitions, PluginFile, PluginKind } from "./plugin/registry.ts";
export type { OverParameterised, WeightProvider } from "./overparameterise/weight_provider.ts";
export type { Initialiser } from "./nn/initialisers.ts";
export type { KeptChannels } from "./plugin/inner_widths.ts";
export type { ChainMap, ChainSpec } from "./plugin/chains.ts";
export type { InPlaceOfTensors, OutputShapes, OutputTree } from "./plugin/output_tree.ts";
export { Random } from "./data/random.ts";

// Saved models, to be run, as the plug-ins' entry opens them.
export type { ComputingOn, OpenFolderOptions } from "./predict/open_model.ts";
export * from "./predict/loaded_model.ts";
export type {
  FolderTokenizer,
  ImageInputs,
  ModelInputs,
  TextInputs,
  TokenizerOpener,
  WordInputs,
} from "./predict/inputs.ts";

// A loss by itself, as the plug-ins' entry makes it.
export type { GivenOutputs, LossFunction, LossInputs } from "./plugin/loss_function.ts";

// Weights, and what trains them.
export { type Weights, weightsFrom } from "./nn/weights.ts";
export { freeze, type FrozenWeights } from "./nn/frozen_weights.ts";
export * from "./nn/parameter_store.ts";
export type { NamedShape, RowRange } from "./nn/row_ranges.ts";
export { type Place, type RateSegment, type StorePart, TensorStore } from "./nn/tensor_store.ts";
export * from "./nn/grad_scaler.ts";
export * from "./nn/optimisers.ts";
export { type Curve, learningRateAt, type LearningRateSchedule, type Progress, type WarmUp } from "./nn/schedules.ts";

// Metrics of a model.
export * from "./evaluate/evaluate.ts";
export type { AnsweredBatch } from "./evaluate/answers.ts";
export type { ClassName } from "./evaluate/metrics/metrics.ts";
export type { ClassCounts, ClassScores, LabelScores } from "./evaluate/metrics/class_scores.ts";
export type { TypeScores } from "./evaluate/metrics/spans.ts";
export type { Confusion } from "./evaluate/metrics/confusion.ts";

// Contract checks of plug-ins.
export { type CheckOptions, checkPlugin } from "./plugin/check/check_plugin.ts";
export type { CheckResult } from "./plugin/check/check.ts";
export type { DefinitionSetup } from "./plugin/check/definition_checks.ts";

// Recipes.
export { readRecipe } from "./recipe/recipe.ts";
export type * from "./recipe/recipe_type.ts";
export { type Scheduled, scheduled, valueAt } from "./recipe/scheduled.ts";
export { dataFile } from "./recipe/data_file.ts";
export type { Checked, ParseOptions, PartOf, Section } from "./recipe/checked.ts";
export type { Override } from "./recipe/overrides.ts";
export type { Path } from "./recipe/paths.ts";
export type { NumberSchema, Schema } from "./recipe/zod_schema.ts";

// Distillation.
export * from "./distill/distill.ts";
export type { FolderClaim, RunFolder } from "./distill/run_folder.ts";
export { Run, type Split } from "./distill/run.ts";
export type { RunOptions, RunParts } from "./distill/open_run.ts";
export type { Stopwatch } from "./distill/stopwatch.ts";
export type { RunData } from "./distill/load_data.ts";
export type { LoadedTeacher } from "./distill/teacher/load_teacher.ts";
export type { Teacher } from "./distill/teacher/teacher_outputs.ts";
export type { Taught } from "./distill/teacher/decisions.ts";
export type { TaughtModel } from "./distill/student/initial_weights.ts";
export type { Student } from "./distill/student/student.ts";
export type { ExportedStudent } from "./distill/student/export_student.ts";
export type { FactorPlan } from "./distill/student/factors/factor_plan.ts";
export type { Truncated } from "./distill/student/factors/truncate_weights.ts";
export type { CutWidths } from "./distill/student/pruning/cut_channels.ts";
export type { LossSet } from "./distill/losses/loss_set.ts";
export type { Objective, ObjectiveCall, WeightedLoss } from "./distill/losses/objective.ts";
export type { LossMetrics } from "./distill/losses/epoch.ts";
export type { StepRecord, TrainingStep } from "./distill/training/training_step.ts";
export type { Training, TrainingResult } from "./distill/training/training.ts";
export * from "./distill/progress.ts";
export * from "./distill/stops.ts";
export type { RunSummary } from "./distill/summary/summary.ts";
export type { OnnxFile } from "./onnx/export_model.ts";

// Files of tensors.
export * from "./safetensors.ts";

// Where files are.
export { currentFiles, useFiles } from "./files/current.ts";
export * from "./files/files.ts";
export { memoryFiles } from "./files/memory_files.ts";
