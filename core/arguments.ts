import { showValue } from "./visible.ts";

const has = (...names: readonly string[]) => (value: unknown): boolean =>
  typeof value === "object" && value !== null && names.every((name) => name in value);
const isList = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);
const listOf = (is: (value: unknown) => boolean) => (value: unknown): boolean =>
  isList(value) && Array.from(value as ArrayLike<unknown>).every(is);
const isNumber = (value: unknown): boolean => typeof value === "number";
const isTensor = has("shape", "dispose");

/** What an argument may have to be, by the words that say it. */
const KINDS = {
  "a text": (value: unknown) => typeof value === "string",
  "a path": (value: unknown) => typeof value === "string" && value !== "",
  "a number": (value: unknown) => isNumber(value) && !Number.isNaN(value),
  "a whole number from 1": (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1,
  "a function": (value: unknown) => typeof value === "function",
  "a list": isList,
  "a list of numbers": listOf(isNumber),
  "a list of lists": listOf(isList),
  "numbers": (value: unknown) => value instanceof Float32Array || value instanceof Float64Array,
  "a map": (value: unknown) => has()(value) && !isList(value),
  "a Map": (value: unknown) => has("get", "keys")(value) && typeof (value as Map<unknown, unknown>).get === "function",
  "a tensor": isTensor,
  "a list of tensors": listOf(isTensor),
  "operations (see createOps)": has("tensor", "scope", "device"),
  "a backend (see openBackend)": has("memory", "close", "run"),
  "a device (ops.device)": has("backend", "run"),
  "a recipe (see readRecipe)": has("value", "check", "part"),
  "a plug-in, { kind, name, options, ... }": has("kind", "name", "options"),
  "factors, { rows, cols }": has("rows", "cols"),
  "the shape of a chain, { rows, cols, bonds }": has("rows", "cols", "bonds"),
  "a chain, { rows, cols, bonds, cores }": has("rows", "cols", "bonds", "cores"),
  "a model, { parameters, ... }": has("parameters"),
  "a zod schema": has("safeParse"),
  "files (see memoryFiles)": has("look", "read", "write", "failureOf"),
} as const satisfies Record<string, (value: unknown) => boolean>;

/** What an argument has to be. */
export type ArgumentKind = keyof typeof KINDS;

/**
 * Checks the arguments of a public function, for callers whose types nobody checked.
 *
 * @param call the function, as it is called
 * @param given its arguments by name, and what each has to be
 * @throws TypeError `Cannot call openModel: expected a path as its folder, got undefined`
 */
export function expectArguments(
  call: string,
  given: Readonly<Record<string, readonly [value: unknown, kind: ArgumentKind]>>,
): void {
  for (const [name, [value, kind]] of Object.entries(given)) {
    if (KINDS[kind](value)) continue;
    throw new TypeError(`Cannot call ${call}: expected ${kind} as its ${name}, got ${showValue(value)}`);
  }
}
