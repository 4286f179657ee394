/** Examples in their order, as batches; the last one may be smaller. @throws RangeError if they are to be of none */
export function batchesOf(order: Uint32Array, batchSize: number): Uint32Array[] {
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot make batches of ${batchSize}: a whole number from 1 up is needed`);
  }
  const count = Math.ceil(order.length / batchSize);
  return Array.from({ length: count }, (_, batch) => order.slice(batch * batchSize, (batch + 1) * batchSize));
}
