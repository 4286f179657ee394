import type { AdapterTraits } from "./kernel.ts";

/** The traits that go with what an adapter is, rather than with its limits. */
export type KindTraits = Omit<
  AdapterTraits,
  "maxWorkgroupInvocations" | "maxWorkgroupStorageBytes" | "maxWorkgroupsPerDimension"
>;

/*
 * `workPerSubmit` takes about a second at most where kernels run worst: 5 billion operations a second on two
 * processors, 10 on an integrated GPU. A fast GPU does it in a millisecond, so that sending it costs nothing.
 */

/**
 * Measured on lavapipe (REJECTED.md): starting a thread costs as much as a dozen elements, and two cores with eight
 * lanes are soon busy.
 */
export const softwareKind: KindTraits = {
  software: true,
  enoughThreads: 2048,
  elementsPerThread: 16,
  fewestWinogradChannels: 16,
  workPerSubmit: 5e9,
};

/**
 * Counted out (HARDWARE.md). WebGPU does not say how large a GPU is: so many threads are two to each scheduler's lane
 * of the largest, and the partial sums that they leave, 256 bytes each, still fit the last cache of a small one.
 */
export const hardwareKind: KindTraits = {
  software: false,
  enoughThreads: 2 ** 15,
  elementsPerThread: 1,
  fewestWinogradChannels: 64,
  workPerSubmit: 1e10,
};
