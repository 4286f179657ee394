import type { View } from "../backend.ts";
import { beginOf, bytesOf } from "../format.ts";
import type { GpuStorage } from "./gpu_storage.ts";
import type { Pipeline } from "./pipelines.ts";

/** Uniform offsets are multiples of this on every adapter. */
export const UNIFORM_STRIDE = 256;
/** Bind groups kept for reuse; beyond that the whole cache starts anew. */
const MOST_BIND_GROUPS = 8192;

/** Binds a kernel's views, and a slot of the uniform buffer at an offset that each dispatch gives. */
export function createBindGroup(
  device: GPUDevice,
  { layout, bindings }: Pipeline,
  views: Readonly<Record<string, View>>,
  uniform: GPUBuffer,
): GPUBindGroup {
  return device.createBindGroup({
    layout,
    entries: [
      { binding: 0, resource: { buffer: uniform, size: UNIFORM_STRIDE } },
      ...bindings.map((name, index) => {
        const view = views[name];
        const { buffer } = view.storage as GpuStorage;
        const size = Math.max(Math.ceil(bytesOf(view) / 4) * 4, 4);
        return { binding: index + 1, resource: { buffer, offset: beginOf(view), size } };
      }),
    ],
  });
}

/** Bind groups over one uniform buffer, kept: a training step asks for the same ones again. */
export class BindGroups {
  readonly #groups = new Map<string, GPUBindGroup>();

  constructor(private readonly device: GPUDevice, private readonly uniform: GPUBuffer) {}

  get(pipeline: Pipeline, views: Readonly<Record<string, View>>): GPUBindGroup {
    let key = `${pipeline.id}`;
    for (const name of pipeline.bindings) {
      const { storage, offset, length } = views[name];
      key += `,${(storage as GpuStorage).id}:${offset}:${length}`;
    }
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MOST_BIND_GROUPS) this.#groups.clear();
    const made = createBindGroup(this.device, pipeline, views, this.uniform);
    this.#groups.set(key, made);
    return made;
  }
}
