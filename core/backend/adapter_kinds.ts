import type { AdapterTraits } from "./kernel.ts";

/** The traits that go with what an adapter is, rather than with its limits. */
export type KindTraits = Omit<
  AdapterTraits,
  "maxWorkgroupInvocations" | "maxWorkgroupStorageBytes" | "maxWorkgroupsPerDimension"
>;

/**
 * Measured on lavapipe (REJECTED.md): starting a thread costs as much as a dozen elements, and two cores with eight
 * lanes are soon busy.
 */
export const softwareKind: KindTraits = {
  software: true,
  enoughThreads: 2048,
  elementsPerThread: 16,
  fewestWinogradChannels: 16,
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
};
