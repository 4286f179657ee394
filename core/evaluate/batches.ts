/** Examples in their order, as batches; the last one may be smaller. */
export function batchesOf(order: Uint32Array, batchSize: number): Uint32Array[] {
  const count = Math.ceil(order.length / batchSize);
  return Array.from({ length: count }, (_, batch) => order.slice(batch * batchSize, (batch + 1) * batchSize));
}
