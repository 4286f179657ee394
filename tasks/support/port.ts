import { UserError } from "../../core/errors.ts";
import { wholeNumber } from "./numbers.ts";

/** Reads the flag `--port`. @throws UserError for what is no port */
export function portNumber(text: string): number {
  const port = wholeNumber("--port", text, 0);
  if (port <= 65535) return port;
  throw new UserError(`--port ${text}: Expected a whole number from 0 to 65535`);
}

/** Starts a server, as `listen` does. @throws UserError if the port is not to be had */
export function onPort<Server>(port: number, listen: () => Server): Server {
  try {
    return listen();
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    if (!isTaken && !(error instanceof Deno.errors.PermissionDenied)) throw error;
    const reason = isTaken ? "another program has it" : "the system keeps it for others";
    throw new UserError(`Cannot serve on port ${port} as ${reason}: name one with --port, or 0 for any`, {
      cause: error,
    });
  }
}
