import type { Activation } from "../images/activations.ts";

/** The networks that can be built. */
export const VERSIONS = ["v2", "v3-large", "v3-small"] as const;

/** One of {@link VERSIONS}. */
export type Version = typeof VERSIONS[number];

/** Options of the `mobilenet` plug-in. */
export interface MobilenetOptions {
  readonly version: Version | null;
  readonly width: number | null;
  readonly stemStride: 1 | 2 | null;
  readonly dropout: number;
  readonly depthwiseChains: boolean;
}

/** The names of a convolution and of the batch norm behind it. */
export interface Names {
  readonly conv: string;
  readonly norm: string;
}

/** An inverted residual block: channels are expanded, each is filtered, and they are projected. */
export interface Block {
  /** `features.3` */
  readonly name: string;
  readonly inputs: number;
  readonly expanded: number;
  readonly outputs: number;
  /** Height and width of the depthwise filters. */
  readonly size: number;
  readonly stride: number;
  /** Channels between the layers of squeeze and excitation; `null` without. */
  readonly squeezed: number | null;
  readonly activation: Activation;
  /** `expand` is `null` where nothing is expanded. */
  readonly names: { expand: Names | null; depthwise: Names; squeeze: string; project: Names };
}

/** A network laid out in blocks. */
export interface Architecture {
  readonly stem: { readonly name: string; readonly names: Names; readonly outputs: number; readonly stride: 1 | 2 };
  readonly blocks: readonly Block[];
  /** The 1x1 convolution behind the blocks. */
  readonly last: { readonly name: string; readonly names: Names; readonly outputs: number };
  /** The layer in front of the last one, of MobileNetV3. */
  readonly hidden: { readonly name: string; readonly outputs: number } | null;
  /** Name of the last layer. */
  readonly head: string;
  /** Of the first and last convolution. */
  readonly activation: Activation;
  /** Batch norm's numbers, where they are not PyTorch's defaults. */
  readonly norm: { readonly epsilon?: number; readonly momentum?: number };
  /** Whether images are padded as TensorFlow's `SAME` has it, one pixel more behind than before where it is odd. */
  readonly padsSame?: boolean;
}

/** Of V2 (Sandler et al. 2018, table 2): expansion, channels, blocks and stride. */
const V2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Of V3 (Howard et al. 2019, tables 1 and 2): filter, expanded channels, channels, squeeze, activation and stride. */
type Row = readonly [size: number, expanded: number, outputs: number, squeezes: 0 | 1, "RE" | "HS", stride: 1 | 2];

const V3: Readonly<Record<"v3-large" | "v3-small", readonly Row[]>> = {
  "v3-large": [
    [3, 16, 16, 0, "RE", 1],
    [3, 64, 24, 0, "RE", 2],
    [3, 72, 24, 0, "RE", 1],
    [5, 72, 40, 1, "RE", 2],
    [5, 120, 40, 1, "RE", 1],
    [5, 120, 40, 1, "RE", 1],
    [3, 240, 80, 0, "HS", 2],
    [3, 200, 80, 0, "HS", 1],
    [3, 184, 80, 0, "HS", 1],
    [3, 184, 80, 0, "HS", 1],
    [3, 480, 112, 1, "HS", 1],
    [3, 672, 112, 1, "HS", 1],
    [5, 672, 160, 1, "HS", 2],
    [5, 960, 160, 1, "HS", 1],
    [5, 960, 160, 1, "HS", 1],
  ],
  "v3-small": [
    [3, 16, 16, 1, "RE", 2],
    [3, 72, 24, 0, "RE", 2],
    [3, 88, 24, 0, "RE", 1],
    [5, 96, 40, 1, "HS", 2],
    [5, 240, 40, 1, "HS", 1],
    [5, 240, 40, 1, "HS", 1],
    [5, 120, 48, 1, "HS", 1],
    [5, 144, 48, 1, "HS", 1],
    [5, 288, 96, 1, "HS", 2],
    [5, 576, 96, 1, "HS", 1],
    [5, 576, 96, 1, "HS", 1],
  ],
};

/** A multiple of eight, at least eight, and at least nine tenths of the number (torchvision's `_make_divisible`). */
export function inEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

/** The blocks of a network of a width multiplier, under torchvision's names. */
export function layOut(version: Version, width: number, stemStride: 1 | 2): Architecture {
  return version === "v2" ? layOutV2(width, stemStride) : layOutV3(version, width, stemStride);
}

/** A convolution and its norm in an `nn.Sequential` of both. */
const inner = (name: string): Names => ({ conv: `${name}.0`, norm: `${name}.1` });

function lastBehind({ length }: readonly Block[]) {
  const name = `features.${length + 1}`;
  return { name, names: inner(name) };
}

function layOutV2(width: number, stride: 1 | 2): Architecture {
  const stem = inEights(32 * width);
  let inputs = stem;
  const rows = V2.flatMap(([expansion, channels, count, stride]) =>
    Array.from({ length: count }, (_, index) => ({ expansion, channels, stride: index === 0 ? stride : 1 }))
  );
  const blocks = rows.map(({ expansion, channels, stride }, index): Block => {
    const name = `features.${index + 1}`;
    const first = expansion === 1 ? 0 : 1;
    const names = {
      expand: expansion === 1 ? null : inner(`${name}.conv.0`),
      depthwise: inner(`${name}.conv.${first}`),
      squeeze: "",
      project: { conv: `${name}.conv.${first + 1}`, norm: `${name}.conv.${first + 2}` },
    };
    const [expanded, outputs] = [inputs * expansion, inEights(channels * width)];
    const block: Block = {
      ...{ name, inputs, expanded, outputs, size: 3, stride, squeezed: null, activation: "relu6", names },
    };
    inputs = outputs;
    return block;
  });
  return {
    stem: { name: "features.0", names: inner("features.0"), outputs: stem, stride },
    blocks,
    last: { ...lastBehind(blocks), outputs: inEights(1280 * Math.max(1, width)) },
    hidden: null,
    head: "classifier.1",
    activation: "relu6",
    norm: {},
  };
}

function layOutV3(version: "v3-large" | "v3-small", width: number, stride: 1 | 2): Architecture {
  const stem = inEights(16 * width);
  let inputs = stem;
  const blocks = V3[version].map(([size, channels, out, squeezes, activation, stride], index): Block => {
    const name = `features.${index + 1}`;
    const [expanded, outputs] = [inEights(channels * width), inEights(out * width)];
    const depthwise = expanded === inputs ? 0 : 1;
    const block: Block = {
      ...{ name, inputs, expanded, outputs, size, stride },
      squeezed: squeezes ? inEights(Math.floor(expanded / 4)) : null,
      activation: activation === "RE" ? "relu" : "hard-swish",
      names: {
        expand: depthwise === 0 ? null : inner(`${name}.block.0`),
        depthwise: inner(`${name}.block.${depthwise}`),
        squeeze: `${name}.block.${depthwise + 1}`,
        project: inner(`${name}.block.${depthwise + 1 + squeezes}`),
      },
    };
    inputs = outputs;
    return block;
  });
  return {
    stem: { name: "features.0", names: inner("features.0"), outputs: stem, stride },
    blocks,
    last: { ...lastBehind(blocks), outputs: 6 * inputs },
    hidden: { name: "classifier.0", outputs: inEights((version === "v3-large" ? 1280 : 1024) * width) },
    head: "classifier.3",
    activation: "hard-swish",
    norm: { epsilon: 1e-3, momentum: 0.01 },
  };
}
