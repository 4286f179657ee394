import type { ElementType, ParameterType } from "../backend/kernel.ts";
import { HALF_FUNCTIONS } from "./half_bindings.ts";
import { LINEAR_WORKGROUP } from "./launch.ts";

/** The tensors of a kernel by name, in the order of their bindings. */
export type Elements = Readonly<Record<string, ElementType>>;

/** A kernel's tensors and numbers, in the order of the shader's bindings and of its uniform struct. */
export interface Signature {
  readonly reads: Elements;
  readonly writes: Elements;
  readonly parameters: Readonly<Record<string, ParameterType>>;
}

/** How many numbers an `Element` is: a shader may take four at a time where they lie side by side. */
export type Lanes = 1 | 4;

/** Vectors of four can be read where all of these extents and strides come in fours. */
export function lanesOf(...extents: readonly number[]): Lanes {
  return extents.every((extent) => extent % 4 === 0) ? 4 : 1;
}

/** The same for all of a kernel's tensors of `Element`, or for each of them by its name. */
export type LanesOf<Name extends string = string> = Lanes | Readonly<Record<Name, Lanes>>;

/** Where a thread, or a workgroup, stands among all of a dispatch, whose workgroups may take two dimensions. */
const PLACES = `
fn threadIndex(id: vec3u, groups: vec3u) -> u32 { return id.x + id.y * groups.x * ${LINEAR_WORKGROUP}u; }
fn threadCount(groups: vec3u) -> u32 { return groups.x * groups.y * ${LINEAR_WORKGROUP}u; }
fn workgroupIndex(group: vec3u, groups: vec3u) -> u32 { return group.x + group.y * groups.x; }
`;

const WGSL_TYPES: Readonly<Record<ParameterType, string>> = { u32: "u32", f32: "f32", seed: "u32" };

const ELEMENTS: Readonly<Record<Lanes, ElementType>> = { 1: "f32", 4: "vec4f" };

const HALVES: Readonly<Record<Lanes, string>> = { 1: "f16", 4: "vec4<f16>" };

/**
 * The WGSL that a kernel's signature says: the parameters as the uniform struct `p`, the tensors as arrays under their
 * names, and, where some have elements of either size and all the same, the type `Element` of so many `LANES`.
 *
 * @param halves how many numbers an element is of those tensors that are float16
 */
export function headerOf(
  { reads, writes, parameters }: Signature,
  lanes: LanesOf,
  halves: ReadonlyMap<string, Lanes> = new Map(),
): string {
  const members = Object.entries(parameters).map(([name, type]) => `  ${name}: ${WGSL_TYPES[type]},\n`);
  const typeOf = ([name, type]: [string, ElementType]) => {
    const half = halves.get(name);
    if (half) return HALVES[half];
    return type === "Element" && typeof lanes !== "number" ? ELEMENTS[lanes[name]] : type;
  };
  const tensors = [
    ...Object.entries(reads).map((tensor) => `var<storage, read> ${tensor[0]}: array<${typeOf(tensor)}>;`),
    ...Object.entries(writes).map((tensor) => `var<storage, read_write> ${tensor[0]}: array<${typeOf(tensor)}>;`),
  ];
  const varied = typeof lanes === "number" && [...Object.values(reads), ...Object.values(writes)].includes("Element");
  return [
    ...(halves.size > 0 ? ["enable f16;"] : []),
    ...(varied ? [`alias Element = ${ELEMENTS[lanes]};`, `const LANES = ${lanes}u;`] : []),
    `struct Parameters {\n${members.join("")}}`,
    ...["var<uniform> p: Parameters;", ...tensors].map((line, binding) => `@group(0) @binding(${binding}) ${line}`),
    PLACES,
    ...(halves.size > 0 ? [HALF_FUNCTIONS] : []),
  ].join("\n");
}

/**
 * A shader in which words of capitals stand for what differs between the kernels that share it.
 *
 * @throws Error if the shader has no such word
 */
export function fillHoles(shader: string, holes: Readonly<Record<string, string>>): string {
  return Object.entries(holes).reduce((text, [word, filling]) => {
    const pattern = new RegExp(`\\b${word}\\b`, "g");
    if (!pattern.test(text)) throw new Error(`Cannot fill the hole ${word} of a shader that has none`);
    return text.replaceAll(pattern, () => filling);
  }, shader);
}
