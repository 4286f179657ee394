import { float16BitsOf } from "../float16.ts";
import { UserError } from "../errors.ts";
import type { Extent } from "./amounts.ts";
import { GraphBuilder, type Initialiser, TYPES } from "./graph.ts";
import { fixedSize, type Value } from "./trace.ts";

/** How the dimensions of images lie: as here, or as in ONNX's convolutions. */
export type Layout = "channels last" | "channels first";

/** What is computed with. */
export type FloatType = "float32" | "float16";

/** Dimension i of an image in ONNX's order is dimension `TO_FIRST[i]` here. */
export const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];

/** Numbers that are known when the file is written. */
export interface Known {
  /** Of the weight that they are, or of what they are for. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The values of a trace on their way into a graph: each under a name for each form that it is wanted in. */
export class Writer {
  readonly graph = new GraphBuilder();
  readonly #names = new Map<Value, Partial<Record<Layout | "int64" | "bool", string>>>();
  readonly #natural = new Map<Value, Layout>();
  readonly #known = new Map<Value, Known | null>();
  readonly #initialisers = new Map<string, string>();
  readonly #extents = new Map<string, string>();

  /** @param weights of the model by name, with their shapes */
  constructor(
    readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
    readonly float: FloatType,
  ) {}

  /** Says under which name a value stands in the graph. */
  set(value: Value, name: string, layout: Layout): void {
    this.#names.set(value, { ...this.#names.get(value), [layout]: name });
    if (!this.#natural.has(value)) this.#natural.set(value, layout);
  }

  /** Says under which name whole numbers stand, which count tokens or number them. */
  setWhole(value: Value, name: string): void {
    this.#names.set(value, { ...this.#names.get(value), int64: name });
  }

  /** Says which numbers a value is. */
  setKnown(value: Value, known: Known): void {
    this.#known.set(value, known);
  }

  /** How a value lies in the graph without another node. */
  layoutOf(value: Value): Layout {
    return this.#natural.get(value) ?? "channels last";
  }

  /** The numbers of a value, where they are known. */
  known(value: Value): Known | null {
    const found = this.#known.get(value);
    if (found !== undefined) return found;
    const known = this.#numbersOf(value);
    this.#known.set(value, known);
    return known;
  }

  #numbersOf({ source, shape }: Value): Known | null {
    if (source.kind === "weight") {
      const weight = this.weights.get(source.name);
      if (!weight) throw new RangeError(`Cannot export the weight "${source.name}": there are no numbers`);
      return { name: source.name, ...weight };
    }
    const size = fixedSize(shape);
    if (size === null) return null;
    const own = shape as readonly number[];
    if (source.kind === "numbers") return { name: "constant", shape: own, data: source.data };
    if (source.kind === "filled") {
      return { name: "constant", shape: own, data: new Float32Array(size).fill(source.value) };
    }
    return null;
  }

  /** The name of a value in a layout, which only images have. */
  name(value: Value, layout: Layout = "channels last"): string {
    const names = this.#names.get(value);
    const there = names?.[layout];
    if (there !== undefined) return there;
    const name = this.#make(value, layout);
    this.set(value, name, layout);
    return name;
  }

  #make(value: Value, layout: Layout): string {
    const names = this.#names.get(value);
    const other = names?.[layout === "channels first" ? "channels last" : "channels first"];
    if (other !== undefined) {
      return this.graph.node("Transpose", [other], { perm: layout === "channels first" ? TO_FIRST : TO_LAST });
    }
    if (names?.int64 !== undefined) return this.cast(names.int64, this.float);
    const known = this.known(value);
    if (known) {
      return this.floats(layout === "channels first" ? channelsFirst(known) : known, layout);
    }
    if (value.source.kind === "filled") {
      const { shape, source } = value;
      const extents = layout === "channels first" ? TO_FIRST.map((axis) => shape[axis]) : shape;
      return this.graph.node("ConstantOfShape", [this.extents(extents)], {
        value: { tensor: { type: this.float, shape: [1], data: this.#data([source.value], "a constant") } },
      });
    }
    throw new Error(`Cannot find a value of the graph that ${JSON.stringify(value.source.kind)} makes`);
  }

  /** Whole numbers, as indices are taken. */
  whole(value: Value): string {
    const names = this.#names.get(value);
    if (names?.int64 !== undefined) return names.int64;
    const name = this.cast(this.name(value), "int64");
    this.setWhole(value, name);
    return name;
  }

  /** Truth values: what is not 0. */
  truth(value: Value): string {
    const names = this.#names.get(value);
    if (names?.bool !== undefined) return names.bool;
    const name = this.cast(names?.int64 ?? this.name(value), "bool");
    this.#names.set(value, { ...this.#names.get(value), bool: name });
    return name;
  }

  cast(name: string, type: "float32" | "float16" | "int64" | "bool"): string {
    return this.graph.node("Cast", [name], { to: TYPES[type] });
  }

  /** Numbers as an initialiser of the type that is computed with; `form` tells those of one name apart. */
  floats({ name, shape, data }: Known, form = ""): string {
    const key = `${name}|${form}|${shape.join()}`;
    const shared = name === "constant" ? undefined : this.#initialisers.get(key);
    if (shared !== undefined) return shared;
    const own = this.graph.initialiser({ name, type: this.float, shape, data: this.#data(data, name) });
    this.#initialisers.set(key, own);
    return own;
  }

  /** One number. */
  constant(value: number): string {
    const key = `constant ${value}`;
    const name = this.#initialisers.get(key) ?? this.floats({ name: "constant", shape: [], data: [value] });
    this.#initialisers.set(key, name);
    return name;
  }

  /** A list of whole numbers. */
  list(values: readonly number[]): string {
    const key = `list ${values.join()}`;
    const name = this.#initialisers.get(key) ??
      this.graph.initialiser({
        name: "list",
        type: "int64",
        shape: [values.length],
        data: BigInt64Array.from(values, BigInt),
      });
    this.#initialisers.set(key, name);
    return name;
  }

  /** A list of whole numbers, some of which follow the batch. */
  extents(values: readonly Extent[]): string {
    if (values.every((value) => typeof value === "number")) return this.list(values as number[]);
    const parts = values.map((value) => this.#extent(value));
    return parts.length === 1 ? parts[0] : this.graph.node("Concat", parts, { axis: 0 });
  }

  #extent(extent: Extent): string {
    if (typeof extent === "number") return this.list([extent]);
    const key = JSON.stringify(extent);
    const there = this.#extents.get(key);
    if (there !== undefined) return there;
    let name: string | null = null;
    const times = (factor: string) => name = name === null ? factor : this.graph.node("Mul", [name, factor]);
    if (extent.batch) times(this.#sizeOfBatch(0));
    if (extent.length) times(this.#sizeOfBatch(1));
    if (extent.factor !== 1) times(this.list([extent.factor]));
    if (extent.offset !== 0) name = this.graph.node("Add", [name!, this.list([extent.offset])]);
    this.#extents.set(key, name!);
    return name!;
  }

  #sizeOfBatch(axis: number): string {
    const key = `axis ${axis}`;
    const name = this.#extents.get(key) ??
      this.graph.node("Shape", [this.firstInput], { start: axis, end: axis + 1 }, axis === 0 ? "batch_size" : "length");
    this.#extents.set(key, name);
    return name;
  }

  /** How many batch norms went into the layers before them. */
  folded = 0;

  /** The input by which the sizes of a batch are known. */
  firstInput = "";

  #data(values: ArrayLike<number>, name: string): Initialiser["data"] {
    if (this.float === "float32") return values instanceof Float32Array ? values : Float32Array.from(values);
    const halves = Uint16Array.from(values, float16BitsOf);
    const place = halves.findIndex((bits, index) => (bits & 0x7c00) === 0x7c00 && Number.isFinite(values[index]));
    if (place >= 0) {
      throw new UserError(
        `Cannot export with precision fp16 as "${name}" has the number ${
          values[place]
        }: float16 goes to 65504; take fp32`,
      );
    }
    return halves;
  }
}

/** Known images, or what is broadcast over them, with channels first. */
function channelsFirst({ name, shape, data }: Known): Known {
  const full = [...Array<number>(4 - shape.length).fill(1), ...shape];
  const [a, height, width, channels] = full;
  if (height * width === 1 || channels === 1) return { name, shape: [a, channels, height, width], data };
  const pixels = height * width;
  const moved = Float32Array.from({ length: data.length }, (_, place) => {
    const [image, inside] = [Math.floor(place / (pixels * channels)), place % (pixels * channels)];
    return data[image * pixels * channels + (inside % pixels) * channels + Math.floor(inside / pixels)];
  });
  return { name, shape: [a, channels, height, width], data: moved };
}
