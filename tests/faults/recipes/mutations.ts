import { type Document, isCollection, isMap, isScalar, type Node, parseDocument, Scalar, type YAMLMap } from "yaml";
import { withoutEnvironment } from "../../../core/recipe/without_environment.ts";
import type { Random } from "../../../core/data/random.ts";

const parsed = (...call: Parameters<typeof parseDocument>) => withoutEnvironment(() => parseDocument(...call));

/** A recipe as a trial reads it. */
export interface Mutant {
  readonly text: string;
  readonly overrides: readonly string[];
  /** The line, from 1, of the one value that was changed, where nothing else was. */
  readonly line?: number;
  /** What was done, for the report. */
  readonly done: string;
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random.below(items.length)];

/** Values as they are written, of every type and none. */
const VALUES: readonly string[] = [
  ...[
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "0.5",
    "1.5",
    "-0.25",
    "1e-320",
    "1e-38",
    "1e300",
    "1e400",
    "-1e400",
    "9007199254740993",
  ],
  ...["0x10", "0o17", "1_000", "1e3", "4294967296", "2147483648", ".inf", "-.inf", ".nan", "+.INF", "NaN", "Infinity"],
  ...["true", "false", "yes", "null", "~", "", '""', "''", "x", '"x"', "some words", '"a\\nb"', '"\\0"', '"\\u2028"'],
  ...["2001-01-01", "12:30:45", "[]", "[[]]", "[null]", "[1, two, .nan]", "[x]", "[1, 1]", "{}", "{a: 1}", "{use: x}"],
  ...[
    "{from: 1, to: 0}",
    "{from: 1}",
    "{use: }",
    "{url: x}",
    '{url: "https://a.b/c"}',
    "../folder",
    "/",
    ".",
    "https://a.b/c.ts",
  ],
  ...[
    "!!binary aGk=",
    "!!set {a}",
    "!!str 5",
    "!!int x",
    "!foo bar",
    "&a x",
    "*a",
    "[&b 1, *b]",
    "{<<: {a: 1}}",
    "|",
    ">-",
  ],
  ...[
    "{__proto__: {a: 1}}",
    "{constructor: 1}",
    "{toString: 1}",
    "__proto__",
    "constructor",
    "first",
    "teacher",
    "auto",
  ],
  ...[
    `"${"long ".repeat(5000)}"`,
    "[".repeat(40) + "]".repeat(40),
    `[${"1, ".repeat(3000)}1]`,
    `{${"k".repeat(1500)}: 1}`,
  ],
];

const KEYS: readonly string[] = [
  ...["__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "<<", "", " ", "0", "null", "true", "a.b"],
  ...["use", "weight", "weights", "epochs", "temperature", "layers", "k".repeat(900), "übung", "a b", '"'],
];

/** Texts that mean something to YAML, or to nobody. */
const SNIPPETS: readonly string[] = [
  ...[
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    "-",
    "- ",
    ",",
    "#",
    "\t",
    "\n\t",
    "\n",
    "\n ",
    "\0",
    "\x07",
    "&a ",
    "*a ",
    "*",
  ],
  ...[
    "<<: *a\n",
    "%",
    "%YAML 1.1\n",
    "@",
    "`",
    "|\n",
    ">",
    "!!",
    "!",
    "? ",
    "---\n",
    "\n---\n",
    "...\n",
    "\uFEFF",
    "\r\n",
    "\r",
  ],
  ...["\u2028", "\u0085", "\ud800", "💥", "\\", "a: b: c", "&a [*a]", "*b", "0", "é"],
];

/** The paths of all entries of a document. */
function pathsOf(node: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (!isCollection(node)) return path.length > 0 ? [path] : [];
  const inner = isMap(node)
    ? node.items.flatMap(({ key, value }) => pathsOf(value, [...path, String((key as Scalar).value)]))
    : node.items.flatMap((item, index) => pathsOf(item, [...path, index]));
  return path.length > 0 ? [path, ...inner] : inner;
}

function typo(random: Random, word: string): string {
  const at = random.below(word.length + 1);
  const letter = pick(random, ["e", "s", "x", "_", "-", "E", "1"]);
  const ways = [
    word.slice(0, at) + word.slice(at + 1),
    word.slice(0, at) + letter + word.slice(at),
    word.slice(0, at) + letter + word.slice(at + 1),
    word.toUpperCase(),
    word.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
    word + word,
  ];
  return pick(random, ways);
}

type Way = (random: Random, text: string, document: Document.Parsed) => string;

const onEntry = (change: (random: Random, parent: YAMLMap, index: number) => void): Way => (random, _, document) => {
  const maps: YAMLMap[] = [];
  const collect = (node: unknown) => {
    if (isMap(node)) maps.push(node as YAMLMap);
    if (isCollection(node)) {
      node.items.forEach((item) => collect(isMap(node) ? (item as { value: unknown }).value : item));
    }
  };
  collect(document.contents);
  const all = maps.flatMap((map) => map.items.map((_, index) => [map, index] as const));
  const [map, index] = pick(random, all);
  change(random, map, index);
  return document.toString();
};

/** A scalar with another value in its place, and its line. */
function replacedScalar(random: Random, text: string): { text: string; line: number } {
  const document = parsed(text, { stringKeys: true });
  const scalars = pathsOf(document.contents).map((path) => document.getIn(path, true)).filter((node) => isScalar(node));
  const [start, end] = pick(random, scalars).range!;
  const line = text.slice(0, start).split("\n").length;
  return { text: text.slice(0, start) + pick(random, VALUES) + text.slice(end), line };
}

const replaced: Way = (random, text, document) => {
  const node = document.getIn(pick(random, pathsOf(document.contents)), true) as Node | undefined;
  const [start, end] = node?.range ?? [0, 0];
  return text.slice(0, start) + pick(random, VALUES) + text.slice(end);
};

const WAYS: Readonly<Record<string, Way>> = {
  replaced,
  deleted: onEntry((_, map, index) => void map.items.splice(index, 1)),
  repeated: onEntry((_, map, index) => void map.items.push(map.items[index].clone())),
  misspelt: onEntry((random, map, index) => {
    const pair = map.items[index];
    pair.key = new Scalar(typo(random, String((pair.key as Scalar).value)));
  }),
  renamed: onEntry((random, map, index) => void (map.items[index].key = new Scalar(pick(random, KEYS)))),
  added: onEntry((random, map) => {
    const made = parsed(`{${JSON.stringify(pick(random, KEYS))}: ${pick(random, VALUES)}}`).contents;
    if (isMap(made)) map.items.push(...(made as YAMLMap).items);
  }),
  swapped: onEntry((random, map, index) => {
    const other = map.items[random.below(map.items.length)];
    [map.items[index].value, other.value] = [other.value, map.items[index].value];
  }),
  wrapped: (random, text, document) => {
    const node = document.getIn(pick(random, pathsOf(document.contents)), true) as Node | undefined;
    if (!isScalar(node)) return text;
    const [start, end] = node.range!;
    const [open, close] = pick(random, [["[", "]"], ["{a: ", "}"], ['"', '"'], ["[[", "]]"], ["-", ""], ["", "0"]]);
    return text.slice(0, start) + open + text.slice(start, end) + close + text.slice(end);
  },
  misspeltValue: (random, text, document) => {
    const node = document.getIn(pick(random, pathsOf(document.contents)), true) as Node | undefined;
    if (!isScalar(node) || typeof node.value !== "string") return text;
    const [start, end] = node.range!;
    return text.slice(0, start) + JSON.stringify(typo(random, node.value)) + text.slice(end);
  },
  inserted: (random, text) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + pick(random, SNIPPETS) + text.slice(at);
  },
  cut: (random, text) => {
    const at = random.below(text.length);
    return text.slice(0, at) + text.slice(at + 1 + random.below(pick(random, [1, 3, 30])));
  },
  truncated: (random, text) => text.slice(0, random.below(text.length)),
  lines: (random, text) => {
    const lines = text.split("\n");
    const at = random.below(lines.length);
    const ways: (() => void)[] = [
      () => lines.splice(at, 1),
      () => lines.splice(at, 0, lines[at]),
      () => lines.splice(at, 1, ` ${lines[at]}`),
      () => lines.splice(at, 1, lines[at].replace(/^ {1,2}/, "")),
      () => lines.splice(at, 1, lines[at].replace(/^ +/, "\t")),
      () => lines.splice(at, 0, ...lines.splice(random.below(lines.length), 1)),
      () => lines.splice(at, 0, pick(random, SNIPPETS)),
    ];
    pick(random, ways)();
    return lines.join("\n");
  },
  whole: (random, text) => {
    const bomb = Array.from({ length: 12 }, (_, i) => `k${i}: &a${i} [${Array(9).fill(i ? `*a${i - 1}` : "x")}]`);
    const ways: (() => string)[] = [
      () => text.replaceAll("\n", "\r\n"),
      () => text.replaceAll("\n", "\r"),
      () => `\uFEFF${text}`,
      () => `${text}---\n${text}`,
      () => `---\n${text}...\n`,
      () => `${bomb.join("\n")}\n${text}`,
      () => `${text}\ndeep: ${"[".repeat(3000)}${"]".repeat(3000)}`,
      () => `${text}\ndeep: ${"{a: ".repeat(500)}1${"}".repeat(500)}`,
      () => `${text}\n${"- ".repeat(2000)}1`,
      () => text + Array.from({ length: 5000 }, (_, i) => `key${i}: ${i}\n`).join(""),
      () => text + `"${"k".repeat(100_000)}": 1\n`,
      () => `${text}\nlist: [${Array.from({ length: 1500 }, (_, i) => `&z${i} 1, *z${i}`).join(", ")}]`,
      () => text.replaceAll(/#.*\n/g, "\n").replaceAll("  ", "\t"),
      () => "# only\n",
      () => `[${text}]`,
      () => JSON.stringify(text),
      () => text.repeat(2),
      () => "x".repeat(2 ** 20 + 1),
    ];
    return pick(random, ways)();
  },
};

const wayNames = Object.keys(WAYS);

/** One `--set`, mostly of something that is there. */
function override(random: Random, document: Document.Parsed): string {
  const path = [...pick(random, pathsOf(document.contents))];
  const change = random.below(8);
  if (change === 0) path.push(pick(random, KEYS.filter((key) => key !== "")));
  if (change === 1) path[path.length - 1] = typo(random, String(path.at(-1)));
  if (change === 2) path.push(random.below(3));
  if (change === 3) path.pop();
  const written = path.map((part) =>
    typeof part === "number" ? `[${part}]` : /^\w+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  )
    .join("").replace(/^\./, "");
  if (random.below(20) === 0) {
    return pick(random, [
      "",
      "=",
      "x",
      "a.b",
      ".",
      "[",
      "[0]=1",
      "a[99999999999]=1",
      "train..x=1",
      "a[-1]=2",
      "a\nb=1",
    ]);
  }
  return `${written}=${pick(random, VALUES)}`;
}

/**
 * A recipe with one or two changes.
 *
 * @param random decides them
 * @param recipe the text of one that is right
 */
export function mutate(random: Random, recipe: string): Mutant {
  const document = () => parsed(recipe, { stringKeys: true });
  const count = 1 + Number(random.below(5) === 0);
  if (random.below(4) === 0) {
    const overrides = Array.from({ length: count }, () => override(random, document()));
    return { text: recipe, overrides, done: "set" };
  }
  // Values are what schemas are about.
  if (random.below(3) === 0) return { ...replacedScalar(random, recipe), overrides: [], done: "another value" };
  let text = recipe;
  const done: string[] = [];
  for (let change = 0; change < count; change++) {
    const way = pick(random, wayNames);
    const now = parsed(text, { stringKeys: true });
    if (!isCollection(now.contents) || now.contents.items.length === 0 || now.errors.length > 0) break;
    try {
      text = WAYS[way](random, text, now);
    } catch {
      continue; // The first change made a document that the writer refuses.
    }
    done.push(way);
  }
  return { text, overrides: [], done: done.join(" and ") };
}
