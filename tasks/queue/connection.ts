import { Redis } from "ioredis";
import { UserError } from "../../core/errors.ts";
import type { QueueAddress } from "./address.ts";

/** Milliseconds between two tries to connect again, at most. */
const MOST_BETWEEN = 2000;

/** Milliseconds that the first connection may take. */
const PATIENCE = 10_000;

/** A connection to a queue. */
export interface Connection {
  readonly redis: Redis;
  /** Ends it, whether or not the server is there. */
  end(): void;
}

/**
 * Connects to a queue. A connection that is lost later is made again for as long as it takes, and what was asked for in
 * the meantime is asked for then.
 *
 * @param tell is told when the connection is lost, and when it is there again
 * @throws UserError if there is no server, or it does not let this program in
 */
export async function connect(
  address: QueueAddress,
  password: string | null,
  tell: (line: string) => void,
): Promise<Connection> {
  const { host, port, database, user, tls } = address;
  let [reached, lost, ended] = [false, false, false];
  const redis = new Redis({
    host,
    port,
    db: database,
    ...user !== null && { username: user },
    ...password !== null && { password },
    ...tls && { tls: {} },
    lazyConnect: true,
    connectTimeout: PATIENCE,
    // As BullMQ wants it: a command waits for the connection.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => reached ? Math.min(50 * 2 ** Math.min(times, 10), MOST_BETWEEN) : null,
  });
  let failure: Error | null = null;
  redis.on("error", (error: Error) => failure = error);
  redis.on("close", () => {
    if (reached && !lost && !ended) tell(`lost the connection to the queue ${address.shown}: trying again`);
    lost = reached;
  });
  redis.on("ready", () => {
    if (lost) tell(`connected to the queue ${address.shown} again`);
    [reached, lost] = [true, false];
  });
  try {
    await redis.connect();
    const end = () => {
      ended = true;
      redis.disconnect();
    };
    return { redis, end };
  } catch (error) {
    redis.disconnect();
    throw new UserError(`Cannot use the queue ${address.shown} as ${reasonOf(failure ?? error)}`, { cause: error });
  }
}

/** Why no connection came about, to follow "as". */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  if (/NOAUTH|WRONGPASS|NOPERM|invalid password/i.test(message)) {
    return `the server does not take this program's password: ${message.replace(/^(?:NOAUTH|WRONGPASS|NOPERM) /, "")}`;
  }
  if (code === "ECONNREFUSED") return "nothing answers there: start a server, or look at host and port";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no host of that name";
  return `the connection failed: ${message}`;
}
