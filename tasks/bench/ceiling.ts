/**
 * The adapter's ceilings: multiply-adds in registers (GFLOPS) and the speed of a copying kernel (GB/s, what is read and
 * what is written both counted). They say how much of the adapter an engine uses.
 */
import shader from "./ceiling.wgsl" with { type: "text" };

/** What was measured. */
export interface Ceiling {
  /** The adapter's own words for itself. */
  adapter: string;
  gflops: number;
  gigabytesPerSecond: number;
}

const workgroupSize = 64;
/** Enough invocations to fill a large GPU. */
const invocations = workgroupSize * 1024;
const rounds = 32;
/** 8 multiply-adds a round for each of 8 chains of 4 lanes, each two operations. */
const operationsPerDispatch = invocations * rounds * 8 * 8 * 4 * 2;
/** Larger than any cache; the least that WebGPU lets every adapter bind. */
const copyBytes = 2 ** 27;
/** Waiting for the GPU takes about 10 ms, which must not count for much. */
const sampleSeconds = 0.2;
const samples = 5;

/**
 * Measures both ceilings; the best sample counts, as a ceiling is what is possible.
 *
 * @returns the ceilings of the adapter that `navigator.gpu` gives
 * @throws Error if there is no adapter
 */
export async function measureCeiling(): Promise<Ceiling> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("No WebGPU adapter was found");
  const device = await adapter.requestDevice();
  device.addEventListener("uncapturederror", (event) => {
    throw new Error(`Cannot measure the adapter's ceiling: ${(event as GPUUncapturedErrorEvent).error.message}`);
  });
  const [input, output] = [0, 1].map(() =>
    device.createBuffer({ size: copyBytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST })
  );
  // x <- x / 2 + 1/4 stays an ordinary number for ever; denormal ones would be slow on a processor.
  device.queue.writeBuffer(input, 0, new Float32Array([0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]));
  const module = device.createShaderModule({ code: shader });
  const time = async (entryPoint: string, constants: Record<string, number>, grid: [number, number]) => {
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint, constants },
    });
    const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return await bestSecondsPerDispatch(device, (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
    }, grid);
  };
  const multiplyAdd = await time("multiplyAdd", { rounds }, [invocations / workgroupSize, 1]);
  const vectorGroups = copyBytes / 16 / workgroupSize;
  const copy = await time("copy", {}, [1024, vectorGroups / 1024]);
  input.destroy();
  output.destroy();
  device.destroy();
  return {
    adapter: adapter.info.description || `${adapter.info.vendor} ${adapter.info.device}`,
    gflops: operationsPerDispatch / multiplyAdd / 1e9,
    gigabytesPerSecond: 2 * copyBytes / copy / 1e9,
  };
}

/** Doubles the dispatches of a submit until it takes long enough, then repeats it. */
async function bestSecondsPerDispatch(
  device: GPUDevice,
  prepare: (pass: GPUComputePassEncoder) => void,
  grid: [number, number],
): Promise<number> {
  const run = async (dispatches: number) => {
    const began = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    prepare(pass);
    for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(...grid);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - began) / 1000;
  };
  let dispatches = 1;
  await run(dispatches);
  while (await run(dispatches) < sampleSeconds) dispatches *= 2;
  let best = Infinity;
  for (let i = 0; i < samples; i++) best = Math.min(best, await run(dispatches) / dispatches);
  return best;
}
