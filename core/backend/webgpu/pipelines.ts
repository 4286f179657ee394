import type { AnyKernel, Launch, ParameterType } from "../kernel.ts";
import { SHADER_STAGE } from "./flags.ts";

/** A compiled shader, with the layout that its bind groups share. */
export interface Pipeline {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Bindings in the order of the shader: what is read, then what is written. */
  readonly bindings: readonly string[];
}

/** Compiles each shader once for each set of constants, and keeps it. */
export class PipelineCache {
  /** By shader, then by entry point and constants. */
  readonly #pipelines = new Map<string, Map<string, Pipeline>>();
  #count = 0;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(private readonly device: GPUDevice) {}

  get(kernel: AnyKernel, { code, entryPoint, constants = {} }: Launch): Pipeline {
    let variants = this.#pipelines.get(code);
    if (!variants) this.#pipelines.set(code, variants = new Map());
    const key = variantKey(entryPoint, constants);
    const known = variants.get(key);
    if (known) return known;
    const [reads, writes] = [Object.keys(kernel.reads), Object.keys(kernel.writes)];
    const layout = this.#layout(reads.length, writes.length);
    const pipeline = this.device.createComputePipeline({
      label: kernel.name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.#module(kernel.name, code), entryPoint, constants },
    });
    const made = { id: this.#count++, pipeline, layout, bindings: [...reads, ...writes] };
    variants.set(key, made);
    return made;
  }

  #module(label: string, code: string): GPUShaderModule {
    const known = this.#modules.get(code);
    if (known) return known;
    const made = this.device.createShaderModule({ label, code });
    this.#modules.set(code, made);
    return made;
  }

  #layout(reads: number, writes: number): GPUBindGroupLayout {
    const key = `${reads},${writes}`;
    const known = this.#layouts.get(key);
    if (known) return known;
    const storage = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: SHADER_STAGE.COMPUTE,
      buffer: { type },
    });
    const made = this.device.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: SHADER_STAGE.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true },
        },
        ...Array.from({ length: reads }, (_, i) => storage(1 + i, "read-only-storage")),
        ...Array.from({ length: writes }, (_, i) => storage(1 + reads + i, "storage")),
      ],
    });
    this.#layouts.set(key, made);
    return made;
  }
}

function variantKey(entryPoint: string, constants: Readonly<Record<string, number>>): string {
  let key = entryPoint;
  for (const name in constants) key += `,${name}=${constants[name]}`;
  return key;
}

/** Writes a kernel's parameters as its shader's uniform struct: four bytes each, in the declared order. */
export function writeParameters(
  target: DataView,
  offset: number,
  types: Readonly<Record<string, ParameterType>>,
  values: Readonly<Record<string, number>>,
): void {
  for (const name in types) {
    if (types[name] === "f32") target.setFloat32(offset, values[name], true);
    else target.setUint32(offset, values[name], true);
    offset += 4;
  }
}
