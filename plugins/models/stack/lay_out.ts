import { UserError } from "../../../core/errors.ts";
import type { Layer } from "./layers.ts";

/** A layer's place among PyTorch's modules, whose numbers are the names of tensors, and the sizes around it. */
export interface Placed<Kind extends Layer = Layer> {
  readonly layer: Kind;
  /** Number of its first module: the convolution, the matrix or the pool. */
  readonly module: number;
  /** Numbers, or channels, that it takes. */
  readonly inputs: number;
  /** Whether images become vectors in front of it. */
  readonly flattens: boolean;
}

/** A stack of layers with its last matrix, which gives the logits. */
export interface Stack {
  readonly layers: readonly Placed[];
  /** The last matrix. */
  readonly head: { readonly module: number; readonly inputs: number; readonly flattens: boolean };
}

type Images = { height: number; width: number; channels: number };

/**
 * Numbers the layers as an `nn.Sequential` of PyTorch numbers its modules: a convolution or matrix, its norm, its
 * activation and its dropout are one each, where there are any, and so is the `nn.Flatten` before the first matrix.
 *
 * @param image `[height, width, channels]`
 * @throws UserError if a layer does not fit what comes to it
 */
export function layOut(layers: readonly Layer[], [height, width, channels]: readonly [number, number, number]): Stack {
  let images: Images | null = { height, width, channels };
  let numbers = height * width * channels;
  let module = 0;
  const placed = layers.map((layer, index): Placed => {
    const what = `layer ${index} of the stack, ${layer.use}`;
    if (layer.use !== "linear" && !images) {
      throw new UserError(`Cannot build ${what}: it takes images, and the linear layer before it gives vectors`);
    }
    const flattens = layer.use === "linear" && images !== null;
    const inputs = layer.use === "linear" ? numbers : images!.channels;
    const at = { layer, module: module + (flattens ? 1 : 0), inputs, flattens };
    module += modulesOf(layer) + (flattens ? 1 : 0);
    images = layer.use === "linear" ? null : after(layer, images!, what);
    numbers = layer.use === "linear" ? layer.width : images!.height * images!.width * images!.channels;
    return at;
  });
  const flattens = images !== null;
  return { layers: placed, head: { module: module + (flattens ? 1 : 0), inputs: numbers, flattens } };
}

function modulesOf(layer: Layer): number {
  if (layer.use !== "conv" && layer.use !== "linear") return 1;
  const dropout = layer.use === "linear" && layer.dropout > 0 ? 1 : 0;
  return 1 + (layer.norm === "batch" ? 1 : 0) + (layer.activation === "none" ? 0 : 1) + dropout;
}

/** The images that a layer gives. */
function after(layer: Exclude<Layer, { use: "linear" }>, images: Images, what: string): Images {
  if (layer.use === "global-pool") return { height: 1, width: 1, channels: images.channels };
  const [span, stride, padding] = windowOf(layer);
  const extent = (side: number, name: string) => {
    if (side + 2 * padding >= span) return Math.floor((side + 2 * padding - span) / stride) + 1;
    throw new UserError(
      `Cannot build ${what}: its window of ${span} pixels does not fit into a ${name} of ${side} with padding ${padding}`,
    );
  };
  if (layer.use !== "conv" && 2 * padding > layer.size) {
    throw new UserError(
      `Cannot build ${what} with padding ${padding}: it may be half of its size, ${layer.size}, at most`,
    );
  }
  const channels = layer.use === "conv" ? layer.channels : images.channels;
  const groups = layer.use === "conv" ? layer.groups : 1;
  if (images.channels % groups !== 0 || channels % groups !== 0) {
    throw new UserError(
      `Cannot build ${what} in ${groups} groups: they must divide the ${images.channels} channels that it takes and ` +
        `the ${channels} that it gives`,
    );
  }
  return { height: extent(images.height, "height"), width: extent(images.width, "width"), channels };
}

/** Pixels that a window spans, and its stride and padding. */
export function windowOf(
  layer: Exclude<Layer, { use: "linear" | "global-pool" }>,
): [span: number, stride: number, padding: number] {
  if (layer.use !== "conv") return [layer.size, layer.stride ?? layer.size, layer.padding];
  const span = (layer.size - 1) * layer.dilation + 1;
  return [span, layer.stride, layer.padding ?? Math.floor(span / 2)];
}
