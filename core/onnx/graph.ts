/** The types of tensors that are written, by their numbers in onnx.proto. */
export const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** One of them. */
export type TypeName = keyof typeof TYPES;

/** An attribute of a node; a number that is not said to be a float is a whole one. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: Omit<Initialiser, "name"> };

/** An operator with what it takes and gives, by the names of values; "" for an input that is left out. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Numbers that stand in the file. */
export interface Initialiser {
  readonly name: string;
  readonly type: TypeName;
  readonly shape: readonly number[];
  /** Row-major, in the type's own form: of float16 their bits. */
  readonly data: Float32Array | Uint8Array | Int8Array | Int32Array | Uint16Array | BigInt64Array;
}

/** An input or output. */
export interface Port {
  readonly name: string;
  readonly type: TypeName;
  /** A string names a dimension of any size; `null`: not said. */
  readonly shape: readonly (number | string)[] | null;
}

/** A model as ONNX has it. */
export interface Graph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly initialisers: readonly Initialiser[];
}

/** Puts a graph together: every name is used once, and the same numbers under the same name stand once. */
export class GraphBuilder {
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  readonly #nodes: Node[] = [];
  /** With the names that were wanted for them. */
  readonly #initialisers: (readonly [wanted: string, Initialiser])[] = [];
  readonly #names = new Set<string>();

  /** A name like this one that nothing has. */
  free(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }

  input(port: Port): string {
    this.#names.add(port.name);
    this.#inputs.push(port);
    return port.name;
  }

  output(port: Port): void {
    this.#outputs.push(port);
  }

  /** Keeps a name for what is added under it later. */
  reserve(name: string): void {
    this.#names.add(name);
  }

  /** Adds a node whose outputs have their names already. */
  add(node: Node): void {
    this.#nodes.push(node);
  }

  /** Adds numbers under the name that nodes know them by. */
  keep(initialiser: Initialiser): void {
    this.#names.add(initialiser.name);
    this.#initialisers.push([initialiser.name, initialiser]);
  }

  /** Adds a node with one output, named after what it is for, and gives the output's name. */
  node(operator: string, inputs: readonly string[], attributes: Node["attributes"] = {}, wanted = operator): string {
    const [output] = this.nodes(operator, inputs, attributes, [wanted]);
    return output;
  }

  /** Gives what a node made another name. */
  renamed(name: string, wanted: string): string {
    const other = (own: string) => own === name ? wanted : own;
    this.#names.add(wanted);
    const isMade = this.#nodes.some(({ outputs }) => outputs.includes(name));
    if (!isMade) throw new Error("Cannot rename what no node made");
    this.#nodes.forEach((node, index) => {
      this.#nodes[index] = { ...node, inputs: node.inputs.map(other), outputs: node.outputs.map(other) };
    });
    return wanted;
  }

  /** Adds a node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    attributes: Node["attributes"],
    wanted: readonly string[],
  ): string[] {
    const outputs = wanted.map((name) => this.free(name));
    this.#nodes.push({ operator, inputs, outputs, attributes });
    return outputs;
  }

  initialiser(initialiser: Initialiser): string {
    const name = this.free(initialiser.name);
    this.#initialisers.push([initialiser.name, { ...initialiser, name }]);
    return name;
  }

  /** The graph, without what no output depends on. */
  finish(): Graph {
    const needed = new Set(this.#outputs.map(({ name }) => name));
    const nodes: Node[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some((name) => needed.has(name))) continue;
      nodes.push(node);
      for (const name of node.inputs) needed.add(name);
    }
    const kept = [...this.#initialisers].filter(([, { name }]) => needed.has(name));
    // Of two forms of a weight, one that is not needed had its name.
    const taken = new Set([...needed, ...nodes.flatMap(({ outputs }) => outputs)]);
    const names = new Map<string, string>();
    for (const [wanted, { name }] of kept) {
      if (wanted === name || taken.has(wanted)) continue;
      taken.add(wanted);
      names.set(name, wanted);
    }
    const own = (name: string) => names.get(name) ?? name;
    return {
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: nodes.reverse().map((node) => ({ ...node, inputs: node.inputs.map(own) })),
      initialisers: kept.map(([, initialiser]) => ({ ...initialiser, name: own(initialiser.name) })),
    };
  }
}

/** How often each operator stands in a graph. */
export function countOperators({ nodes }: Pick<Graph, "nodes">): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operator } of nodes) counts[operator] = (counts[operator] ?? 0) + 1;
  return counts;
}
