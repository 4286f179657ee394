import { UserError } from "../../core/errors.ts";
import { parseUrl } from "../../core/data/remote_file.ts";
import { readTextIfThere } from "../../core/files.ts";
import { mayRead } from "./variable.ts";

/** Where a queue is: a database of a Redis or Valkey server. */
export interface QueueAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  /** `null`: the server's default user. */
  readonly user: string | null;
  /** Whether the connection is encrypted: `rediss://`. */
  readonly tls: boolean;
  /** For people. */
  readonly shown: string;
}

/** The variable that a queue's password is read from. */
export const PASSWORD_VARIABLE = "OPDF_QUEUE_PASSWORD";

/**
 * Reads `--queue`.
 *
 * @throws UserError if it is no address of a queue, or has a password in it
 */
export function queueAddress(text: string): QueueAddress {
  const url = parseUrl(text);
  if (url?.password) {
    throw new UserError(
      `--queue ${url.protocol}//${url.username}:…@${url.host}${url.pathname}: Cannot take a password in an address, ` +
        `which whoever lists the processes of this machine can read: put it into the variable ${PASSWORD_VARIABLE}, ` +
        "or into a file that --queue-password-file names",
    );
  }
  const database = /^\/?(\d{0,5})$/.exec(url?.pathname ?? "-")?.[1];
  const isQueue = url && ["redis:", "rediss:"].includes(url.protocol) && url.hostname !== "";
  if (!isQueue || database === undefined || url.search !== "" || url.hash !== "") {
    throw new UserError(
      `--queue ${text}: Expected the address of a Redis or Valkey server, such as redis://127.0.0.1:6379/0, or ` +
        "rediss:// with TLS",
    );
  }
  const port = url.port === "" ? 6379 : Number(url.port);
  const user = url.username === "" ? null : decodeURIComponent(url.username);
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ""),
    port,
    database: Number(database),
    user,
    tls: url.protocol === "rediss:",
    shown: `${url.protocol}//${url.hostname}:${port}/${Number(database)}`,
  };
}

/** The address as Deno's permissions have it. */
export function networkOf({ host, port }: QueueAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A queue's password: from a file, or else from the environment.
 *
 * @param file as `--queue-password-file` names it
 * @throws UserError if there is no such file
 */
export async function queuePassword(file: string | undefined): Promise<string | null> {
  // Many servers want none: without leave to read it that is told only by who is refused.
  if (file === undefined) return mayRead(PASSWORD_VARIABLE) ? Deno.env.get(PASSWORD_VARIABLE) ?? null : null;
  const text = await readTextIfThere(file, "the queue's password");
  if (text === null) throw new UserError(`Cannot read the queue's password "${file}" as there is no such file`);
  return text.replace(/\r?\n$/, "");
}
