import type { Random } from "../../core/data/random.ts";

/** One of some things. */
export function oneOf<Thing>(random: Random, things: readonly Thing[]): Thing {
  return things[random.below(things.length)];
}

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
};

/** Two places, the first not behind the second. */
function range(random: Random, length: number): [start: number, end: number] {
  const [a, b] = [random.below(length + 1), random.below(length + 1)];
  return a < b ? [a, b] : [b, a];
}

const BYTE_CHANGES: readonly Change[] = [
  function turnBits(bytes, random) {
    const changed = bytes.slice();
    for (let times = 1 + random.below(3); times > 0 && changed.length > 0; times--) {
      changed[random.below(changed.length)] ^= 1 << random.below(8);
    }
    return changed;
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.slice(0, Math.max(0, bytes.length - 1 - random.below(9))),
  (bytes, random) => bytes.slice(random.below(Math.min(bytes.length, 16) + 1)),
  function cutOut(bytes, random) {
    const [start, end] = range(random, bytes.length);
    return joined(bytes.subarray(0, start), bytes.subarray(end));
  },
  function repeat(bytes, random) {
    const [start, end] = range(random, bytes.length);
    return joined(bytes.subarray(0, end), bytes.subarray(start));
  },
  function swap(bytes, random) {
    const [start, end] = range(random, bytes.length);
    const [, middle] = range(random, end - start);
    const parts = [
      bytes.subarray(0, start),
      bytes.subarray(start + middle, end),
      bytes.subarray(start, start + middle),
    ];
    return joined(...parts, bytes.subarray(end));
  },
  function insert(bytes, random) {
    const place = random.below(bytes.length + 1);
    const added = Uint8Array.from({ length: 1 + random.below(12) }, () => random.below(256));
    return joined(bytes.subarray(0, place), added, bytes.subarray(place));
  },
  function overwrite(bytes, random) {
    const changed = bytes.slice();
    const place = random.below(changed.length + 1);
    changed.fill(oneOf(random, [0, 0xff, 0x7f, 0x80]), place, place + 1 + random.below(8));
    return changed;
  },
  (bytes, random) => joined(bytes, Uint8Array.from({ length: 1 + random.below(40) }, () => random.below(256))),
];

/** Bytes with one or a few random changes: bits turned, parts cut off, out, in, doubled, exchanged, overwritten. */
export function changedBytes(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let changed = bytes;
  for (let times = random.below(4) === 0 ? 3 : 1; times > 0; times--) {
    changed = oneOf(random, BYTE_CHANGES)(changed, random);
  }
  return changed.slice() as Uint8Array<ArrayBuffer>;
}

/** Texts that readers stumble over. */
const WORDS = [
  "\ufeff",
  "\u0000",
  "\r",
  "\n",
  "\r\n",
  "\t",
  '"',
  '""',
  "'",
  ",",
  " ",
  "\u00a0",
  "\u2028",
  "\u0085",
  "\ud800",
  "-",
  "#",
  "null",
  "__proto__",
  "constructor",
  "-1",
  "1e999",
  "0x10",
  "\u001a",
  "[CLS]",
  "O",
  "B-",
  "I-",
  "\\",
  "{}",
  "[]",
  "é".normalize("NFD"),
  "\u{1f600}",
];

/** A text's bytes with changes that keep most of it text: lines and cells moved, odd letters, other line ends. */
export function changedText(text: string, random: Random): Uint8Array<ArrayBuffer> {
  const encoded = (changed: string) => new TextEncoder().encode(changed);
  const lines = text.split("\n");
  const at = random.below(lines.length);
  switch (random.below(12)) {
    case 0:
      return encoded(text.replaceAll("\n", "\r\n"));
    case 1:
      return encoded(text.replaceAll("\n", "\r"));
    case 2:
      return encoded(`\ufeff${text}`);
    case 3:
      return encoded(lines.map((line, index) => index === at ? "" : line).join("\n"));
    case 4:
      return encoded(lines.toSpliced(at, 0, lines[random.below(lines.length)]).join("\n"));
    case 5:
      return encoded(lines.map((line) => line + (random.below(4) === 0 ? "\r" : "")).join("\n"));
    case 6: { // a cell of a line away, doubled, or put elsewhere
      const cells = lines[at].split(/(?<=[\t, ])/);
      const cell = random.below(cells.length);
      const [own] = cells.splice(cell, random.below(2));
      if (random.below(2) === 0) cells.splice(random.below(cells.length + 1), 0, own ?? cells[0] ?? "");
      return encoded(lines.with(at, cells.join("")).join("\n"));
    }
    case 7:
      return encoded(lines.with(at, lines[at] + "x !".repeat(random.below(20_000))).join("\n"));
    case 8:
    case 9: {
      const place = random.below(text.length + 1);
      return encoded(text.slice(0, place) + oneOf(random, WORDS).repeat(1 + random.below(3)) + text.slice(place));
    }
    default:
      return changedBytes(encoded(text), random);
  }
}

/** Values that stand where they should not. */
const ODD: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 1,
  () => 0.5,
  () => 2.5,
  () => 1e9,
  () => 2 ** 31,
  () => 2 ** 53,
  () => 1e300,
  () => -1e300,
  () => 1e-300,
  () => "",
  () => "NaN",
  () => "12",
  () => "a text",
  () => "x".repeat(5000),
  () => [],
  () => [1],
  () => [[]],
  () => ({}),
  () => ({ a: 1 }),
  () => Array.from({ length: 400 }, (_, index) => index),
  () => JSON.parse('{"__proto__": {"length": 3}}'),
  () => "__proto__",
  () => "constructor",
  () => nested(150),
  () => nested(1000),
];

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

type Parent = Record<string, unknown> | unknown[];

/** All lists and objects of a value with a key each: every place in it. */
function placesIn(value: unknown, found: [Parent, string][] = []): [Parent, string][] {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Parent, key]);
    placesIn((value as Record<string, unknown>)[key], found);
  }
  return found;
}

const valueAt = (parent: Parent, key: string) => (parent as Record<string, unknown>)[key];

function put(parent: Parent, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * A copy of a JSON value with a change in its structure: another value in a place, a key away, new or renamed, two
 * values exchanged, a number moved.
 *
 * @param own values that are odd for this kind of file
 */
export function changedJson(value: unknown, random: Random, own: readonly unknown[] = []): unknown {
  const copy = structuredClone(value);
  for (let times = random.below(3) === 0 ? 2 : 1; times > 0; times--) {
    const places = placesIn(copy);
    if (places.length === 0) return oneOf(random, ODD)();
    // Half of the changes are near the top, where a file of many entries has few.
    const top = places.filter(([parent]) => parent === copy);
    const [parent, key] = oneOf(random, random.below(2) === 0 ? top : places);
    const [other, otherKey] = oneOf(random, places);
    const before = valueAt(parent, key);
    switch (random.below(10)) {
      case 0:
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
        break;
      case 1: {
        const there = valueAt(other, otherKey);
        put(other, otherKey, structuredClone(before));
        put(parent, key, structuredClone(there));
        break;
      }
      case 2:
        if (!Array.isArray(parent)) {
          delete parent[key];
          put(
            parent,
            oneOf(random, ["__proto__", "constructor", "toString", "", `${key} `, "0", key.toUpperCase()]),
            before,
          );
        } else parent.splice(Number(key), 0, structuredClone(before));
        break;
      case 3:
        if (typeof before === "number") {
          put(parent, key, before + oneOf(random, [1, -1, 0.5, 1e9, 2 ** 32, -2 * before, 1e300]));
        } else if (typeof before === "string") {
          put(parent, key, oneOf(random, [before + oneOf(random, WORDS), before.slice(1)]));
        }
        break;
      case 4:
        if (own.length > 0) put(parent, key, structuredClone(oneOf(random, own)));
        break;
      case 5:
        put(parent, key, String(before));
        break;
      default:
        put(parent, key, oneOf(random, ODD)());
    }
  }
  return copy;
}

/** JSON text of a changed value, and now and then a change of the text itself. */
export function changedJsonText(value: unknown, random: Random, own: readonly unknown[] = []): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(random.below(8) === 0 ? value : changedJson(value, random, own));
  if (random.below(5) > 0) return new TextEncoder().encode(text ?? "");
  return changedText(text ?? "", random);
}
