import { Redis } from "ioredis";
import { UserError } from "../../core/errors.ts";
import { PASSWORD_VARIABLE, type QueueAddress } from "./address.ts";
import { isPasswordRefused, isUnreachable, reasonOf, refusalOf } from "./connection_reason.ts";
import { mayRead, withoutLeave } from "./variable.ts";

/** Milliseconds between two tries to connect again, at most. */
const MOST_BETWEEN = 2000;

/** Milliseconds that the first connection may take. */
const PATIENCE = 10_000;

/** Milliseconds without an answer after which a connection counts as lost: the queue's longest calls wait for 10 s. */
const SILENCE = 30_000;

/** Milliseconds after which it is told why a server cannot be reached again. */
const TELL_AFTER = 60_000;

/** A connection to a queue. */
export interface Connection {
  readonly redis: Redis;
  /** Ends it, whether or not the server is there. */
  end(): void;
}

/** Times of a connection, in milliseconds. */
export interface ConnectionTimes {
  /** That the first connection may take. */
  readonly patience?: number;
  /** Without an answer, after which a connection counts as lost. */
  readonly silence?: number;
}

/**
 * Connects to a queue. A connection that is lost later is made again for as long as it takes, and what was asked for in
 * the meantime is asked for then.
 *
 * @param tell is told when the connection is lost, why it does not come back, and when it is there again
 * @throws UserError if there is no server, or it does not let this program in
 */
export async function connect(
  address: QueueAddress,
  password: string | null,
  tell: (line: string) => void,
  { patience = PATIENCE, silence = SILENCE }: ConnectionTimes = {},
): Promise<Connection> {
  const { host, port, database, user, tls, shown } = address;
  let [reached, ended] = [false, false];
  const redis = endingWell(
    new Redis({
      host,
      port,
      db: database,
      ...user !== null && { username: user },
      ...password !== null && { password },
      ...tls && { tls: {} },
      lazyConnect: true,
      connectTimeout: patience,
      // A machine that is gone says nothing.
      socketTimeout: silence,
      // As BullMQ wants it: a command waits for the connection.
      maxRetriesPerRequest: null,
      retryStrategy: (times: number) => reached ? Math.min(50 * 2 ** Math.min(times, 10), MOST_BETWEEN) : null,
    }),
  );
  let failure: unknown = null;
  redis.on("error", (error: Error) => failure = error);
  const end = () => {
    ended = true;
    redis.disconnect();
  };
  try {
    await within(patience, redis.connect());
    // Such as a database that there is not: the library goes on with another one.
    if (failure) throw failure;
  } catch (error) {
    end();
    const hasNone = password === null && isPasswordRefused(failure ?? error);
    const reason = hasNone && !mayRead(PASSWORD_VARIABLE)
      ? `it wants a password, and ${withoutLeave(PASSWORD_VARIABLE)}, or name a file by --queue-password-file`
      : reasonOf(failure ?? error, address);
    throw unusable(address, reason, error);
  }
  reached = true;
  let lostAt: number | null = null;
  let told: string | null = null;
  redis.on("close", () => {
    if (ended) return;
    if (lostAt === null) tell(`lost the connection to the queue ${shown}: trying again`);
    else {
      const reason = reasonOf(failure, address);
      const isTold = !isUnreachable(failure) || performance.now() - lostAt > TELL_AFTER;
      if (isTold && reason !== told) tell(`no connection to the queue ${shown} yet, as ${told = reason}`);
    }
    lostAt ??= performance.now();
    failure = null;
  });
  redis.on("ready", () => {
    if (lostAt !== null) tell(`connected to the queue ${shown} again`);
    lostAt = told = null;
  });
  return { redis, end };
}

function unusable({ shown }: QueueAddress, reason: string, cause: unknown): UserError {
  return new UserError(`Cannot use the queue ${shown} as ${reason}`, { cause });
}

/**
 * What a server refuses to a program that it has let in, for lack of rights, memory or room on its disk.
 *
 * @returns `null` if something else failed
 */
export function refusalBy(address: QueueAddress, error: unknown): { error: UserError; isForGood: boolean } | null {
  const refusal = refusalOf(error, address);
  return refusal && { error: unusable(address, refusal.reason, error), isForGood: refusal.isForGood };
}

/**
 * Mends what the library leaves behind where a connection ends, also of the connections that BullMQ makes by this one:
 *
 * - a socket with TLS may fail a second time, as what was still to be written cannot be; the library listens once, and
 *   the program would end by it;
 * - the timer of a silence goes on, and would end the next connection.
 */
function endingWell(redis: Redis): Redis {
  redis.on("connect", () => redis.stream.on("error", () => {}));
  redis.on("close", () => {
    const own = redis as unknown as { socketTimeoutTimer?: ReturnType<typeof setTimeout> };
    clearTimeout(own.socketTimeoutTimer);
    own.socketTimeoutTimer = undefined;
  });
  const { duplicate } = redis;
  redis.duplicate = (override) => endingWell(duplicate.call(redis, override));
  return redis;
}

/**
 * Waits for what uses connections to be closed, but not for long: the library waits for a connection that is lost to be
 * there again.
 *
 * @param most milliseconds
 */
export async function closed(closing: readonly Promise<unknown>[], most: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, most);
  await Promise.race([Promise.allSettled(closing), late.promise]);
  clearTimeout(timer);
}

/** @throws Error with the code ETIMEDOUT if it takes longer */
async function within(milliseconds: number, connecting: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => late.reject(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
    milliseconds,
  );
  try {
    await Promise.race([connecting, late.promise]);
  } finally {
    clearTimeout(timer);
    connecting.catch(() => {});
  }
}
