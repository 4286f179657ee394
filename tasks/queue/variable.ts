import { UserError } from "../../core/errors.ts";

/**
 * Gives a variable of the environment; `undefined` where there is none.
 *
 * @param what what cannot be done without, for the message: `use the store s3://bucket`
 * @throws UserError if the program was not given it to read, and so cannot say
 */
export function variable(name: string, what: string): string | undefined {
  if (mayRead(name)) return Deno.env.get(name);
  throw new UserError(`Cannot ${what} as ${withoutLeave(name)}`);
}

/** Whether the program was given a variable to read. */
export function mayRead(name: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable: name }).state === "granted";
}

/** That it was not, and how it is, to follow "as". */
export function withoutLeave(name: string): string {
  return `this program was started without leave to read the variable ${name}: deno task compare, sweep, tune, worker ` +
    "and native-worker have it";
}
