import { UserError } from "../../../core/errors.ts";
import type { Batch, HostTensor, InputDescription } from "../../../core/plugin/dataset.ts";
import { imagesOf, outputsOf, textOf } from "../../../core/plugin/inputs.ts";
import { showShape, sizeOf } from "../../../core/tensor.ts";
import { probabilitiesUnsaid, type WiredOutput } from "./fit.ts";
import { areProbabilities } from "../probabilities.ts";
import { RuntimeRefusal } from "../../../core/onnx/runtime/session.ts";

/** Two, as one that was exported for one gives no sign of it otherwise. */
const TRIED = 2;

/**
 * Computes two examples, so that whatever does not fit is told before training.
 *
 * @param file the model's file, for messages
 * @param logitsOf gives the logits of a batch, or throws a UserError
 * @throws UserError
 */
export function tryOn(
  file: string,
  output: WiredOutput,
  data: InputDescription,
  logitsOf: (batch: Batch<HostTensor>) => HostTensor,
): void {
  const logits = logitsOfTwo(file, data, logitsOf);
  const { shape } = logits;
  const length = data.text?.maxLength ?? 0;
  const expected = [TRIED, ...(data.task === "tagging" ? [length] : []), outputsOf(data)];
  if (shape.join() !== expected.join()) {
    throw new UserError(
      `Cannot use the output ${JSON.stringify(output.name)} of "${file}" as ${
        output.probabilities ? "probabilities" : "logits"
      }: it gives ${showShape(shape)} for ${TRIED} examples, and the data set needs ${showShape(expected)}`,
    );
  }
  // A sigmoid gives neither 0 nor 1; a layer without a bias gives 0 for what is all zeros.
  if (!output.stated && data.task === "multi-label" && logits.data.every((value) => value > 0 && value < 1)) {
    throw probabilitiesUnsaid(file, output.name, "gives numbers from 0 to 1");
  }
  const ofClasses = data.task !== "regression" && shape.at(-1)! > 1;
  if (!output.stated && ofClasses && areProbabilities(logits)) {
    throw probabilitiesUnsaid(file, output.name, "gives numbers that sum to 1");
  }
}

function logitsOfTwo(
  file: string,
  data: InputDescription,
  logitsOf: (batch: Batch<HostTensor>) => HostTensor,
): HostTensor {
  try {
    return logitsOf(madeUp(data, TRIED));
  } catch (error) {
    if (!((error as Error).cause instanceof RuntimeRefusal)) throw error;
    try {
      logitsOf(madeUp(data, 1));
    } catch {
      throw error;
    }
    throw new UserError(
      `Cannot run "${file}" on ${TRIED} examples at once, only on one, though it says it takes any number: export it ` +
        "with a batch dimension of any size",
      { cause: error },
    );
  }
}

/** Examples with the largest token and of the greatest length, as what is too large for the model must be told. */
function madeUp(data: InputDescription, count: number): Batch<HostTensor> {
  const filled = (shape: readonly number[], value: number): HostTensor => {
    return { shape, data: new Float32Array(sizeOf(shape)).fill(value) };
  };
  if (data.image) return { image: filled([count, ...imagesOf(data, "onnx").size], 0) };
  const { vocabulary, maxLength } = textOf(data, "onnx");
  const shape = [count, maxLength];
  return { tokens: filled(shape, vocabulary - 1), types: filled(shape, 0), mask: filled(shape, 1) };
}
