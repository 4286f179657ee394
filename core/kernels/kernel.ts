import type { Floats } from "../backend/backend.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import type { AdapterTraits, AnyKernel, ElementType, Kernel, Launch, ParameterType } from "../backend/kernel.ts";
import { withHalfBindings } from "./half_bindings.ts";
import { type Elements, headerOf, type Lanes, type LanesOf, type Signature } from "./header.ts";

/** How a kernel is launched, as its definition says it: with a shader that still lacks its header. */
export interface ShaderLaunch extends Pick<Launch, "constants" | "workgroups"> {
  /** WGSL that computes; what it computes with is declared by the kernel's signature. */
  readonly shader: string;
  /** Its `@compute` function; `main` by default. */
  readonly entryPoint?: string;
}

/** The launch of a kernel with tensors of `Element`: it also says how many numbers that is. */
export interface VariedLaunch extends ShaderLaunch {
  readonly lanes: LanesOf;
}

type LaunchOf<Types extends ElementType> = "Element" extends Types ? VariedLaunch : ShaderLaunch;
type Numbers<Parameters> = Readonly<Record<keyof Parameters & string, number>>;
type Bindings<Reads, Writes> = (keyof Reads | keyof Writes) & string;

/** A {@link Kernel} as it is written down. */
export interface KernelDefinition<
  Reads extends Elements,
  Writes extends Elements,
  Parameters extends Readonly<Record<string, ParameterType>>,
> {
  readonly name: string;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly parameters: Parameters;
  launch(p: Numbers<Parameters>, adapter: AdapterTraits): LaunchOf<Reads[keyof Reads] | Writes[keyof Writes]>;
  operations?(p: Numbers<Parameters>): number;
  cpu(
    views: Readonly<Record<Bindings<Reads, Writes>, Floats>>,
    parameters: Numbers<Parameters>,
    wasm: WasmRuntime | null,
  ): void;
}

const registry = new Map<string, AnyKernel>();

/**
 * Makes a kernel: puts what its signature says in front of its shaders (see {@link headerOf}), and registers it under
 * its name, so that tests can walk all of them.
 *
 * @throws Error if there is a kernel of this name already
 */
export function defineKernel<
  Reads extends Elements,
  Writes extends Elements,
  Parameters extends Readonly<Record<string, ParameterType>>,
>(
  definition: KernelDefinition<Reads, Writes, Parameters>,
): Kernel<Bindings<Reads, Writes>, keyof Parameters & string> {
  const { name, reads, writes, parameters, operations, cpu } = definition;
  if (registry.has(name)) throw new Error(`Cannot define kernel "${name}" twice`);
  // The same text each time, as pipelines are kept by it.
  const modules = new Map<string, Map<string, string>>();
  const moduleOf = (shader: string, lanes: LanesOf, halves: readonly string[]) => {
    const key = (typeof lanes === "number" ? `${lanes}` : Object.entries(lanes).join()) + halves.join(" ");
    let known = modules.get(key);
    if (!known) modules.set(key, known = new Map());
    let made = known.get(shader);
    if (made === undefined) {
      known.set(shader, made = assemble({ reads, writes, parameters }, shader, lanes, halves));
    }
    return made;
  };
  const kernel: Kernel<Bindings<Reads, Writes>, keyof Parameters & string> = {
    name,
    reads,
    writes,
    parameters,
    launch(p, adapter, halves = NONE) {
      const launch: ShaderLaunch & Partial<VariedLaunch> = definition.launch(p, adapter);
      const { shader, lanes = 1, entryPoint = "main", constants, workgroups } = launch;
      return { code: moduleOf(shader, lanes, halves), entryPoint, constants, workgroups };
    },
    operations,
    cpu,
  };
  registry.set(name, kernel);
  return kernel;
}

const NONE: readonly string[] = [];

/** A shader behind its header; `halves` names the tensors that are float16. */
function assemble(signature: Signature, shader: string, lanes: LanesOf, halves: readonly string[]): string {
  if (halves.length === 0) return `${headerOf(signature, lanes)}\n${shader}`;
  const types: Elements = { ...signature.reads, ...signature.writes };
  const lanesOf = (name: string): Lanes => {
    if (types[name] !== "Element") return types[name] === "vec4f" ? 4 : 1;
    return typeof lanes === "number" ? lanes : lanes[name];
  };
  const elements = new Map(halves.map((name) => [name, lanesOf(name)]));
  return `${headerOf(signature, lanes, elements)}\n${withHalfBindings(shader, elements)}`;
}

/** All kernels defined so far, by name. */
export function kernels(): ReadonlyMap<string, AnyKernel> {
  return registry;
}
