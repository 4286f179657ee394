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
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  /** What to call it; see `inWords`. */
  words?: string;
  /** Why a number has these bounds; see `bounded`. */
  reason?: string;
}

/** By schema, as a recipe's takes ten milliseconds to be walked. */
const accepted = new WeakMap<z.ZodType, JsonSchema>();

/** What a zod schema accepts, as a JSON schema: the one form of it that can be walked and put into words. */
export function acceptedBy(schema: z.ZodType): JsonSchema {
  const known = accepted.get(schema) ?? jsonSchemaOf(schema);
  accepted.set(schema, known);
  return known;
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  try {
    return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  } catch {
    // A plug-in's schema that JSON has no words for, such as one with the same id twice: the issues alone must do.
    return {};
  }
}

/** The parts of a schema, of which one or all must fit, those of its parts included; one without any is its own. */
function branches(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.flatMap(branches) ?? [schema];
}

/** The branches that a value may be meant for: a map is meant for one of maps, and what tells those apart counts. */
function meantFor(alternatives: readonly JsonSchema[], value: unknown): readonly JsonSchema[] {
  if (!isMap(value)) return alternatives;
  const maps = alternatives.filter(({ type }) => type === "object" || type === undefined);
  const suiting = maps.filter(({ properties = {} }) =>
    Object.entries(properties).every(([key, property]) =>
      property.const === undefined || (value[key] === undefined ? property.default : value[key]) === property.const
    )
  );
  return [suiting, maps].find(({ length }) => length > 0) ?? alternatives;
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
  const meant = meantFor(branches(schema), value);
  if (path.length === 0) return [...meant];
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
 * @returns for example `auto, a number > 0 or null`; `undefined` if a schema does not say
 */
export function describeExpected(schemas: readonly JsonSchema[]): string | undefined {
  const words = schemas.flatMap(({ enum: values, ...schema }) =>
    values?.map(plain) ?? (schema.type === "boolean" ? ["true", "false"] : [describeOne(schema)])
  );
  const known = words.filter((word) => word !== undefined);
  if (known.length === 0 || known.length < words.length) return undefined;
  // "a map" says all that "a map with use" does where one of several needs no key.
  const general = known.includes("a map") ? known.filter((word) => !word.startsWith("a map with")) : known;
  return listWords([...new Set(general)], "or");
}

function describeOne(schema: JsonSchema): string | undefined {
  if (schema.words !== undefined) return schema.words;
  if (schema.const !== undefined) return plain(schema.const);
  switch (schema.type) {
    case "number":
    case "integer":
      return describeNumber(schema);
    case "string":
      return describeString(schema);
    case "boolean":
      return "true or false";
    case "array":
      return describeList(schema);
    case "object":
      return schema.required?.length ? `a map with ${listWords(schema.required, "and")}` : "a map";
    case "null":
      return "null";
    default:
      return undefined;
  }
}

/** Formats that a name says more of than their pattern. */
const FORMATS = ["email", "uri", "date", "date-time", "time", "duration", "uuid", "ipv4", "ipv6"];

function describeString({ pattern, format, minLength, maxLength }: JsonSchema): string {
  if (format && (!pattern || FORMATS.includes(format))) return `a string of the format ${format}`;
  if (pattern) return `a string that matches ${pattern}`;
  if (maxLength !== undefined) return `a string of ${minLength ?? 0} to ${maxLength} characters`;
  if (minLength !== undefined && minLength > 1) return `a string of at least ${minLength} characters`;
  return minLength ? "a non-empty string" : "a string";
}

/** What zod calls a type, for people. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a map",
  record: "a map",
  null: "null",
};

/** What one of zod's issues says would have been right, for where no schema says more. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return Object.hasOwn(TYPES, issue.expected) ? TYPES[issue.expected] : `a value of the type ${issue.expected}`;
    case "invalid_value":
      return listWords(issue.values.map(plain), "or");
    case "invalid_format":
      return issue.pattern ? `a string that matches ${issue.pattern}` : `a string of the format ${issue.format}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "too_small":
      return sized(issue.origin, issue.inclusive === false ? ">" : ">=", issue.minimum);
    case "too_big":
      return sized(issue.origin, issue.inclusive === false ? "<" : "<=", issue.maximum);
    case "invalid_union":
      return listWords([...new Set(issue.errors.flatMap((errors) => errors.slice(0, 1)).map(describeIssue))], "or") ||
        "one of the alternatives of its schema";
    default:
      return "what its schema describes";
  }
}

function sized(origin: string, sign: string, bound: number | bigint): string {
  if (origin === "string") {
    return sign === ">=" && Number(bound) === 1 ? "a non-empty string" : `a string of ${sign} ${bound} characters`;
  }
  if (origin === "number" || origin === "int" || origin === "bigint") return `a number ${sign} ${bound}`;
  return `${origin === "array" ? "a list" : `a ${origin}`} of ${sign} ${bound} entries`;
}

/**
 * Why a number is beyond a bound; empty if it is not, or nobody says. Of one that is too small for a count, or below 0,
 * the bound says all there is to say.
 */
export function reasonFor(value: unknown, schemas: readonly JsonSchema[]): string {
  if (typeof value !== "number") return "";
  const beyond = schemas.find(({ reason, minimum, maximum, exclusiveMinimum, exclusiveMaximum }) => {
    if (reason === undefined) return false;
    const [least, most] = [minimum ?? exclusiveMinimum ?? -Infinity, maximum ?? exclusiveMaximum ?? Infinity];
    const isTiny = value > 0 && value < least && least < 1;
    return value > most || value === exclusiveMaximum || isTiny || (least < 0 && value < least);
  });
  return beyond ? `, but ${beyond.reason}` : "";
}

function describeNumber(schema: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const noun = schema.type === "integer" ? "an integer" : "a number";
  const bounds: string[] = [];
  // zod states the range of exact integers as bounds, which would not help the user.
  const strict = minimum !== undefined && exclusiveMinimum !== undefined && exclusiveMinimum >= minimum;
  if (minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && !strict) bounds.push(`>= ${minimum}`);
  if (exclusiveMinimum !== undefined) bounds.push(`> ${exclusiveMinimum}`);
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) bounds.push(`<= ${maximum}`);
  if (exclusiveMaximum !== undefined) bounds.push(`< ${exclusiveMaximum}`);
  const multiple = schema.multipleOf === undefined ? "" : `that is a multiple of ${schema.multipleOf}`;
  return [noun, listWords(bounds, "and"), multiple].filter(Boolean).join(" ");
}

function describeList({ minItems, maxItems, items, prefixItems }: JsonSchema): string {
  const inner = typeof items === "object" ? branches(items) : prefixItems?.slice(0, 1) ?? [];
  const only = inner.length === 1 ? inner[0] : undefined;
  const entries = only && only.type !== "object" && only.type ? describeOne(only) : undefined;
  const size = minItems === undefined
    ? maxItems === undefined ? "" : ` of at most ${maxItems} entries`
    : maxItems !== undefined && minItems < maxItems
    ? ` of ${minItems} to ${maxItems} entries`
    : minItems === maxItems
    ? ` of exactly ${minItems} entries`
    : ` of at least ${minItems} ${minItems === 1 ? "entry" : "entries"}`;
  return `a list${size}${entries ? `, each ${entries}` : ""}`;
}

/** Words of a fixed set stand in a sentence without quotes. */
function plain(value: unknown): string {
  return typeof value === "string" && /^\S+$/.test(value) ? value : showValue(value);
}
