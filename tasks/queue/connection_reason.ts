import type { QueueAddress } from "./address.ts";
import { certificateReason } from "./certificate_reason.ts";

/** Why no connection to a queue came about, to follow "as". */
export function reasonOf(error: unknown, { tls, user }: QueueAddress): string {
  const { code = "", message } = (error ?? {}) as { code?: string; message?: string };
  const words = wordsOf(error);
  if (isPasswordRefused(error)) {
    return `the server does not take this program's ${user === null ? "password" : "user and password"}: ${
      plain(message)
    }`;
  }
  if (/NOPERM/.test(words)) return `the server does not allow its user what a queue takes: ${plain(message)}`;
  if (/DB index|SELECT is not allowed/.test(words)) {
    return "the server has no such database: redis-server's databases are 0 to 15 unless its configuration says else";
  }
  const state = STATES.find(([pattern]) => pattern.test(words))?.[1];
  if (state) return state;
  if (code === "ECONNREFUSED") return "nothing answers there: start a server, or look at host and port";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no host of that name";
  if (code === "ETIMEDOUT") {
    const scheme = tls ? ": a port without TLS is redis://" : ", or look at host and port";
    return `the server does not answer${scheme}`;
  }
  const reason = certificateReason(words);
  if (reason !== null) return reason;
  if (tls && /SSL|TLS|InvalidContentType|corrupt/.test(words)) {
    return `the server speaks no TLS that this program knows (${message}): a port without TLS is redis://`;
  }
  if (/EPIPE|ECONNRESET|ECONNABORTED|Connection is closed/.test(words)) {
    return `the server ended the connection${tls ? "" : ": a port with TLS is rediss://"}`;
  }
  if (/Protocol error/.test(words)) return "what answers there is no Redis or Valkey server: look at host and port";
  return `the connection failed: ${message}`;
}

/** Whether a server wants another password, or one at all. */
export function isPasswordRefused(error: unknown): boolean {
  return /NOAUTH|WRONGPASS|invalid password/i.test(wordsOf(error));
}

function wordsOf(error: unknown): string {
  const { code = "", message = "the server closed it" } = (error ?? {}) as { code?: string; message?: string };
  return `${code} ${message}`;
}

/** States of a server in which it takes no runs. Its rights are for good, the others pass. */
const STATES: readonly (readonly [RegExp, string])[] = [
  [/OOM command/, "the server's memory is full: its maxmemory must be raised"],
  [/MISCONF/, "the server cannot write its disk: it may be full"],
  [/READONLY/, "the server is a replica, which takes no runs: name its master"],
];

/** Why a server that let this program in does not do what it is asked for, to follow "as"; `null`: it is not that. */
export function refusalOf(error: unknown, address: QueueAddress): { reason: string; isForGood: boolean } | null {
  const message = `${(error as Error | null)?.message}`;
  const isForGood = /NOPERM|NOAUTH|WRONGPASS/.test(message);
  if (!isForGood && !STATES.some(([pattern]) => pattern.test(message))) return null;
  return { reason: reasonOf(error, address), isForGood };
}

/** Whether a server is just not there, which is told of once; else somebody has to do something. */
export function isUnreachable(error: unknown): boolean {
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  return error === null || /^E[A-Z_]+$|^$/.test(code) && !/NOAUTH|WRONGPASS|NOPERM|certificate/i.test(message);
}

/** What the server says without the code in front. */
function plain(message: string | undefined): string {
  return `${message}`.replace(/^(?:Ready check failed: )?(?:NOAUTH|WRONGPASS|NOPERM|ERR) /, "");
}
