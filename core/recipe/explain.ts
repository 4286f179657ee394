import type { z } from "zod";
import { nearest } from "../nearest.ts";
import {
  acceptedBy,
  choicesOf,
  describeExpected,
  describeIssue,
  homesOf,
  type JsonSchema,
  keysOf,
  reasonFor,
  schemasAt,
} from "./expected.ts";
import { formatPath, isMap, type Path, showPath, valueAtPath } from "./paths.ts";
import { shorten, visible } from "../visible.ts";
import { listWords, showText, showValue } from "./words.ts";

/** A mistake in a value, in words, and the place at which to point. */
export interface Mistake {
  path: Path;
  /** Point at the name of the map's entry, or at what it holds. */
  at: "key" | "value";
  sentence: string;
}

/** The value that a schema was asked about, and where it stands. */
export interface Subject {
  value: unknown;
  /** Path of the value in the recipe. */
  path: Path;
  /** Keys that may stand beside those of the schema, since somebody else reads them. */
  otherKeys: readonly string[];
}

/** A mistake with what is needed to see that two are one. */
interface Explained extends Mistake {
  missing?: string;
  suggested?: string;
}

/**
 * Puts zod's issues into sentences that name the key or the value and what would have been right. Messages of a
 * schema's own stand in them as they are; zod's never do.
 *
 * @param error what zod found
 * @param schema the schema that was asked
 * @param subject what it was asked about
 * @returns one mistake for each thing to be changed
 */
export function explain(error: z.ZodError, schema: z.ZodType, subject: Subject): Mistake[] {
  const accepted = acceptedBy(schema);
  const explained = meantIssues(error.issues).flatMap((issue): Explained[] =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => unknownKey(key, issue.path as Path, accepted, subject))
      : issue.code === "invalid_key"
      ? [wrongKey(issue, subject)]
      : [wrongValue(issue, accepted, subject)]
  );
  // "epoch" for "epochs" is one mistake: a key that is suggested for another is not also reported as missing.
  const suggested = new Set(explained.map((mistake) => mistake.suggested));
  const told = new Set<string>();
  return explained.filter(({ missing, path, sentence }) => {
    // Of a number beyond what is exact, zod says twice that it is too large.
    const again = `${formatPath(path)} ${sentence}`;
    if (told.has(again) || missing !== undefined && suggested.has(missing)) return false;
    told.add(again);
    return true;
  });
}

/**
 * Replaces the issues of alternatives by those of the alternative that was meant: of those that do not refuse the value
 * as a whole (as one that takes a number refuses any map), the one that comes nearest.
 */
function meantIssues(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union") return [issue];
    const near = issue.errors.filter((errors) =>
      errors.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys" || code === "custom")
    );
    // What tells maps apart (`use: sgd`) is right in the one that was meant; after that, few mistakes are likelier.
    const cost = (errors: readonly z.core.$ZodIssue[]) =>
      errors.length + (errors.some(({ code }) => code === "invalid_value") ? 1000 : 0);
    const [meant] = near.toSorted((a, b) => cost(a) - cost(b));
    return meant ? meantIssues(meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))) : [issue];
  });
}

function unknownKey(key: string, path: Path, accepted: JsonSchema, subject: Subject): Explained {
  const parent = [...subject.path, ...path];
  const schemas = schemasAt(accepted, path, subject.value);
  const known = keysOf(schemas);
  if (key === "<<") {
    const sentence = `Unknown key "<<" ${place(parent)}: maps are not merged, write out the keys that they share`;
    return { path: [...parent, key], at: "key", sentence };
  }
  if (path.length === 0) known.unshift(...subject.otherKeys);
  const near = nearest(key, known);
  const value = valueAtPath(subject.value, path);
  const variant = known.includes("use") && isMap(value) && value.use ||
    schemas.length === 1 && schemas[0].properties?.use?.const;
  return {
    path: [...parent, key],
    at: "key",
    sentence: `Unknown key ${showText(key)} ${place(parent, variant)}: ` +
      (near === undefined ? rightPlace(key, path, known, accepted, subject) : `did you mean "${near}"?`),
    suggested: near === undefined ? undefined : formatPath([...parent, near]),
  };
}

/** The name of an entry that a map with names of one's own does not take. */
function wrongKey({ path, issues }: z.core.$ZodIssueInvalidKey, subject: Subject): Explained {
  const whole = [...subject.path, ...path as Path];
  const [why] = issues;
  const right = why === undefined || isOwn(why) ? why?.message ?? "another name" : `expected ${describeIssue(why)}`;
  const sentence = `Unknown key ${showText(whole.at(-1)!)} ${place(whole.slice(0, -1))}: ${right}`;
  return { path: whole, at: "key", sentence };
}

function rightPlace(key: string, path: Path, known: string[], accepted: JsonSchema, subject: Subject): string {
  const homes = homesOf(accepted, key).filter((home) => formatPath(home) !== formatPath(path));
  if (homes.length === 1) return `it belongs ${place([...subject.path, ...homes[0]])}`;
  return known.length === 0 ? "nothing can be set here" : `expected ${listWords(known, "or")}`;
}

/** Names a map, and the plug-in or alternative that its `use` names, as this decides which keys are known. */
function place(path: Path, use?: unknown): string {
  if (path.length === 0) return "at the top level";
  return `in ${showPath(path)}${typeof use === "string" ? ` (use: ${shorten(use)})` : ""}`;
}

function wrongValue(issue: z.core.$ZodIssue, accepted: JsonSchema, subject: Subject): Explained {
  const inner = issue.path as Path;
  const path = [...subject.path, ...inner];
  const value = valueAtPath(subject.value, inner);
  const target = path.length === 0 ? "" : ` for ${showPath(path)}`;
  const missing = value === undefined && inner.length > 0;
  if (issue.code === "custom" || isOwn(issue) && !missing) {
    return { path, at: "value", sentence: ownSentence(issue, showPath(path), value) };
  }
  const schemas = schemasAt(accepted, inner, subject.value);
  const expected = describeExpected(schemas) ?? describeIssue(issue);
  if (missing) {
    const parent = path.slice(0, -1);
    const sentence = `Missing key ${showText(path.at(-1)!)} ${place(parent)}: expected ${expected}`;
    return { path: parent, at: "value", sentence, missing: formatPath(path) };
  }
  const near = typeof value === "string" ? nearest(value, choicesOf(schemas)) : undefined;
  const hint = near === undefined ? "" : `, did you mean ${JSON.stringify(near)}?`;
  return {
    path,
    at: "value",
    sentence: `Expected ${expected}${target}: got ${showValue(value)}${hint}${reasonFor(value, schemas)}`,
  };
}

/** Whether an issue has words of its schema's author, not zod's own: those all begin alike. */
function isOwn({ message }: z.core.$ZodIssue): boolean {
  return !/^(Invalid|Too big|Too small|Unrecognized)\b/.test(message);
}

/** What a schema says by itself, with the place and the value where it leaves them out. */
function ownSentence(issue: z.core.$ZodIssue, place: string, value: unknown): string {
  const shown = showValue(value);
  const target = place === "" ? "" : ` for ${place}`;
  if (!isOwn(issue)) return `Cannot take ${shown}${target}: a check of its schema refuses it and does not say why`;
  const message = issue.message.trim().replaceAll(/\s*\n\s*/g, " ");
  if (/\bgot\b|^(Cannot|Unknown|Missing) /.test(message)) return visible(message);
  return `${visible(message)}${place !== "" && message.includes(place) ? "" : target}: got ${shown}`;
}
