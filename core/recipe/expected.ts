import { z } from "zod";
import { formatPath, isMap, type Path } from "./paths.ts";
import { listWords, showValue } from "./words.ts";

/** The part of a JSON schema that this module reads. */
export interface JsonSchema {
  type?: string;
  const?: unknown;
  default?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  /** Why a number has these bounds; see `bounded`. */
  reason?: string;
}

/** What a zod schema accepts, as a JSON schema: the one form of it that can be walked and put into words. */
export function acceptedBy(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
}

/** The alternatives of a schema, those of its alternatives included; a schema without any is its own. */
function branches(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf)?.flatMap(branches) ?? [schema];
}

/** True when nothing that tells branches apart (`use: sgd`) speaks against the value. */
function suits(schema: JsonSchema, value: unknown): boolean {
  return Object.entries(schema.properties ?? {}).every(([key, property]) =>
    property.const === undefined || isMap(value) && (value[key] ?? property.default) === property.const
  );
}

/**
 * The schema of what a path leads to.
 *
 * @param schema the schema of the whole
 * @param path keys and indices from there
 * @param value the whole, which decides between alternatives (an optimiser's keys depend on its `use`)
 * @returns all schemas that may apply, in order; empty when the path is not in the schema
 */
export function schemasAt(schema: JsonSchema, path: Path, value: unknown): JsonSchema[] {
  const alternatives = branches(schema);
  const suiting = alternatives.filter((branch) => suits(branch, value));
  const meant = suiting.length > 0 ? suiting : alternatives;
  if (path.length === 0) return meant;
  const [part, ...rest] = path;
  const inside = isMap(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined;
  return meant.flatMap((branch) => {
    const { properties = {}, prefixItems = [], items, additionalProperties } = branch;
    const next = typeof part === "number"
      ? prefixItems[part] ?? items
      : Object.hasOwn(properties, part)
      ? properties[part]
      : additionalProperties;
    return typeof next === "object" ? schemasAt(next, rest, inside) : [];
  });
}

/** The names of the keys that a map may have. */
export function keysOf(schemas: readonly JsonSchema[]): string[] {
  return [...new Set(schemas.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** The words that may stand for a value, where it is one of a fixed set; empty otherwise. */
export function choicesOf(schemas: readonly JsonSchema[]): string[] {
  return schemas.flatMap(({ enum: values, const: only }) => values ?? [only])
    .filter((value) => typeof value === "string");
}

/**
 * The maps in which a key is known; lists are not searched.
 *
 * @param schema the schema of the whole
 * @param key the key to look for
 * @param path where the schema stands
 * @returns for example `[["train", "optimiser"]]` for `learningRate`
 */
export function homesOf(schema: JsonSchema, key: string, path: Path = []): Path[] {
  const homes = branches(schema).flatMap(({ properties = {} }): Path[] => [
    ...(Object.hasOwn(properties, key) ? [path] : []),
    ...Object.entries(properties).flatMap(([name, inner]) => homesOf(inner, key, [...path, name])),
  ]);
  return [...new Map(homes.map((home) => [formatPath(home), home])).values()];
}

/**
 * What would have been right, for a sentence that begins with "Expected".
 *
 * @param schemas the alternatives
 * @returns for example `auto, a number > 0 or null`
 */
export function describeExpected(schemas: readonly JsonSchema[]): string {
  const words = schemas.flatMap(({ enum: values, ...schema }) => values?.map(plain) ?? [describeOne(schema)]);
  return listWords([...new Set(words)], "or");
}

function describeOne(schema: JsonSchema): string {
  if (schema.const !== undefined) return plain(schema.const);
  switch (schema.type) {
    case "number":
    case "integer":
      return describeNumber(schema);
    case "string":
      if (schema.pattern) return `a string that matches ${schema.pattern}`;
      return schema.minLength ? "a non-empty string" : "a string";
    case "boolean":
      return "true or false";
    case "array":
      return describeList(schema);
    case "object":
      return schema.required?.length ? `a map with ${listWords(schema.required, "and")}` : "a map";
    case "null":
      return "null";
    default:
      return "another value";
  }
}

/** Why a number is outside of the bounds that it is; empty if it is not, or nobody says. */
export function reasonFor(value: unknown, schemas: readonly JsonSchema[]): string {
  if (typeof value !== "number") return "";
  const beyond = schemas.find(({ reason, minimum = -Infinity, maximum = Infinity }) => {
    return reason !== undefined && (value < minimum || value > maximum);
  });
  return beyond ? `, but ${beyond.reason}` : "";
}

function describeNumber(schema: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const noun = schema.type === "integer" ? "an integer" : "a number";
  const bounds: string[] = [];
  // zod states the range of exact integers as bounds, which would not help the user.
  if (minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER) bounds.push(`>= ${minimum}`);
  if (exclusiveMinimum !== undefined) bounds.push(`> ${exclusiveMinimum}`);
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) bounds.push(`<= ${maximum}`);
  if (exclusiveMaximum !== undefined) bounds.push(`< ${exclusiveMaximum}`);
  return [noun, listWords(bounds, "and")].filter(Boolean).join(" ");
}

function describeList({ minItems, maxItems, items, prefixItems }: JsonSchema): string {
  const inner = typeof items === "object" ? branches(items) : prefixItems?.slice(0, 1) ?? [];
  const only = inner.length === 1 ? inner[0] : undefined;
  const entries = only && only.type !== "object" && only.type ? describeOne(only) : undefined;
  const size = minItems === undefined
    ? ""
    : maxItems !== undefined && minItems < maxItems
    ? ` of ${minItems} to ${maxItems} entries`
    : minItems === maxItems
    ? ` of exactly ${minItems} entries`
    : ` of at least ${minItems} ${minItems === 1 ? "entry" : "entries"}`;
  return `a list${size}${entries ? `, each ${entries}` : ""}`;
}

/** Words of a fixed set stand in a sentence without quotes. */
function plain(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : showValue(value);
}
