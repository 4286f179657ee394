import { UserError } from "../../errors.ts";
import { infer } from "../../evaluate/predictions.ts";
import type { Ops } from "../../ops/ops.ts";
import { upload } from "../../plugin/batch.ts";
import type { Batch, HostTensor, ImageInput } from "../../plugin/dataset.ts";
import { Tensor } from "../../tensor.ts";
import type { Subject } from "../subject.ts";
import { logitsOfVectors, tokenTable } from "../token_vectors.ts";

/** What an attack may change of a batch: numbers that a change, `[batch, ...]`, is added to. */
export interface Space {
  /** The shape of a change. */
  readonly shape: readonly number[];
  /** The least and the largest change that leaves something valid, in that shape; `null`: every change does. */
  readonly range: { readonly least: Tensor; readonly most: Tensor } | null;
  /** 1 for numbers that may be changed, 0 for others, of a shape that broadcasts; `null`: all may. */
  readonly free: Tensor | null;
  /** `[batch]` */
  readonly labels: Tensor;
  /** All tensors that it needs: what a scope around its opening must not free, and whoever opened it frees. */
  readonly held: readonly Tensor[];
  /** The logits of the batch with a change, `[batch, classes]`; of none where all of it is 0. */
  logits(change: Tensor): Tensor;
}

/** Opens the space of a batch; its tensors belong to the scope around the call. */
export type OpenSpace = (ops: Ops, batch: Batch<HostTensor>) => Space;

/**
 * The space in which a model is attacked: the pixels of images, from 0 to 1 before normalisation, or the word vectors
 * of texts, in multiples of the root mean square of all numbers of all of the model's word vectors.
 *
 * @throws UserError for a model without gradients, or one of text that does not look its tokens up
 */
export async function spaceOf(ops: Ops, subject: Subject): Promise<OpenSpace> {
  if (!subject.differentiable) {
    throw new UserError(
      `Cannot attack "${subject.name}" as another library computes it, so that there are no gradients: expected a ` +
        "folder with model.safetensors, such as it was exported from",
    );
  }
  const { image } = subject.input;
  return image ? pixels(subject, image) : await wordVectors(ops, subject);
}

function pixels({ model, weights }: Subject, { normalise, size }: ImageInput): OpenSpace {
  return (ops, host) => {
    const batch = upload(ops, host);
    const std = ops.tensor(channelwise(normalise.std, size[2]));
    const own = ops.add(ops.multiply(batch.image, std), ops.tensor(channelwise(normalise.mean, size[2])));
    // What rounding has moved out of the range may stay where it is.
    const least = ops.minimum(ops.negate(own), ops.scalar(0));
    const most = ops.maximum(ops.complement(own), ops.scalar(0));
    return {
      shape: batch.image.shape,
      range: { least, most },
      free: null,
      labels: batch.label,
      held: [...Object.values(batch), std, least, most],
      logits(change) {
        const image = ops.add(batch.image, ops.divide(change, std));
        return infer(ops, model, weights, { ...batch, image }).logits;
      },
    };
  };
}

/** Means or deviations, one for each channel. */
export function channelwise(values: readonly number[], channels: number): number[] {
  return Array.from({ length: channels }, (_, channel) => values[channel % values.length]);
}

async function wordVectors(ops: Ops, { name, model, weights, examples }: Subject): Promise<OpenSpace> {
  const first = Uint32Array.of(0);
  await examples.fetch?.(first);
  let tables: readonly Tensor[] = [];
  const squares = ops.scope(() => {
    const batch = upload(ops, examples.batch(first));
    const table = tokenTable(ops, model, weights, batch, `Cannot attack "${name}" in its word vectors`);
    tables = table instanceof Tensor ? [table] : table;
    return tables.map((one) => ops.sum(ops.square(one)));
  });
  const sums = await ops.read(squares);
  squares.forEach((tensor) => tensor.dispose());
  const width = tables[0].shape.at(-1)!;
  const count = tables.reduce((total, { size }) => total + size, 0);
  const unit = Math.sqrt(sums.reduce((total, [sum]) => total + sum, 0) / count);
  return (ops, host) => {
    const batch = upload(ops, host);
    const [rows, length] = batch.tokens.shape;
    const free = ops.reshape(batch.mask, [rows, length, 1]);
    return {
      shape: [rows, length, width],
      range: null,
      free,
      labels: batch.label,
      held: [...Object.values(batch), free],
      logits: (change) =>
        logitsOfVectors(ops, { model, weights }, batch, (lookUp) => ops.add(lookUp(), ops.scale(change, unit))),
    };
  };
}
