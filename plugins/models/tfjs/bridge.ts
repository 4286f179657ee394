import type { GpuExchange, HostExchange } from "../../../core/backend/exchange.ts";
import { BUFFER_USAGE } from "../../../core/backend/webgpu/flags.ts";
import type { Device } from "../../../core/device.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { Engine } from "./engine.ts";
import type { ForeignTensor } from "./library.ts";

/** Carries tensors to TensorFlow.js and back, without waiting for the device. */
export interface Bridge {
  /**
   * The numbers of a tensor for TensorFlow.js.
   *
   * @param slot which of the model's inputs it is: its numbers replace those that were last sent there
   */
  send(tensor: Tensor, slot: number): ForeignTensor;
  /** The numbers of a tensor of TensorFlow.js in one of ours, of the same shape. */
  receive(tensor: ForeignTensor): Tensor;
  /** Gives back what it holds. */
  close(): void;
}

/** A bridge between a device of ours and TensorFlow.js beside it. */
export function bridgeTo(device: Device, { tf }: Engine): Bridge {
  const { exchange } = device.backend;
  return exchange.on === "webgpu" ? deviceBridge(device, exchange, tf) : hostBridge(device, exchange, tf);
}

/**
 * Buffers are copied on the device: ours come from a pool and are larger than their tensors, which shaders would see.
 */
function deviceBridge(device: Device, exchange: GpuExchange, tf: Engine["tf"]): Bridge {
  const inputs: GPUBuffer[] = [];
  const bufferFor = (slot: number, size: number): GPUBuffer => {
    if (inputs[slot]?.size === size) return inputs[slot];
    // What was submitted with the old one still runs: it is freed after that.
    inputs[slot]?.destroy();
    const usage = BUFFER_USAGE.STORAGE | BUFFER_USAGE.COPY_SRC | BUFFER_USAGE.COPY_DST;
    return inputs[slot] = exchange.device.createBuffer({ size, usage });
  };
  return {
    send(tensor, slot) {
      const buffer = bufferFor(slot, tensor.size * 4);
      exchange.copyOut(tensor.view, buffer);
      return tf.tensor({ buffer, zeroCopy: true }, [...tensor.shape], "float32");
    },
    receive(foreign) {
      const tensor = device.empty(foreign.shape);
      // This sends what TensorFlow.js has not submitted yet.
      const { buffer, tensorRef } = foreign.dataToGPU();
      exchange.copyIn(buffer!, tensor.view);
      tensorRef.dispose();
      return tensor;
    },
    close: () => inputs.forEach((buffer) => buffer.destroy()),
  };
}

function hostBridge(device: Device, exchange: HostExchange, tf: Engine["tf"]): Bridge {
  return {
    // A copy, as TensorFlow.js keeps the array.
    send: (tensor) => tf.tensor(Float32Array.from(exchange.numbers(tensor.view)), [...tensor.shape], "float32"),
    receive: (foreign) => device.tensor(foreign.dataSync(), foreign.shape),
    close: () => {},
  };
}
