/** What talks to queues: loaded when it is wanted. */
export type QueueParts = Awaited<ReturnType<typeof loadParts>>;

/**
 * Loads what talks to queues. The packages look for variables of the environment as they are loaded, to print what they
 * do; here they find none, as Deno would ask the user for the permission.
 */
export async function queueParts(): Promise<QueueParts> {
  const { process } = globalThis as unknown as { process: { env: object } };
  const { env } = process;
  process.env = {};
  try {
    return await loadParts();
  } finally {
    process.env = env;
  }
}

async function loadParts() {
  const { QueueExecutor } = await import("./queue_executor.ts");
  const { work } = await import("./worker_loop.ts");
  const { connect } = await import("./connection.ts");
  return { QueueExecutor, connect, work };
}
