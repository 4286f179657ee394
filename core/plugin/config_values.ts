import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import type { ForeignConfig } from "./saved_options.ts";

/** The whole numbers that a size may be. */
export interface CountBounds {
  /** 1 unless it is said. */
  readonly least?: number;
  readonly most: number;
}

/**
 * The whole number under a key of another program's config.json; `null` if there is none.
 *
 * @throws UserError if something else stands there, or a number beyond what a model is built with
 */
export function countIn(config: ForeignConfig, key: string, { least = 1, most }: CountBounds): number | null {
  const value = valueIn(config, key);
  if (value === null) return null;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UserError(
    `Cannot read ${key} of the config: expected a whole number from ${least} to ${most}, got ${showJson(value)}`,
  );
}

/** The rate under a key, from 0 to below 1; `null` without one. @throws UserError if something else stands there */
export function rateIn(config: ForeignConfig, key: string): number | null {
  const value = valueIn(config, key);
  if (value === null || (typeof value === "number" && value >= 0 && value < 1)) return value;
  throw new UserError(`Cannot read ${key} of the config: expected a number from 0 to below 1, got ${showJson(value)}`);
}

/** The names of the classes by their numbers; `null` where the config has none. @throws UserError if they are not */
export function labelsIn(config: ForeignConfig): string[] | null {
  const names = valueIn(config, "id2label");
  if (names === null) return null;
  const refuse = (got: unknown) =>
    new UserError(
      `Cannot read id2label of the config: expected a name for each number from 0 on, got ${showJson(got)}`,
    );
  if (typeof names !== "object") throw refuse(names);
  const entries = Object.entries(names);
  return entries.map((_, number) => {
    const name = Object.hasOwn(names, number) ? Reflect.get(names, number) : undefined;
    if (typeof name === "string" || typeof name === "number" || typeof name === "boolean") return String(name);
    throw refuse(names);
  });
}

function valueIn(config: ForeignConfig, key: string): unknown {
  return Object.hasOwn(config, key) ? config[key] ?? null : null;
}
