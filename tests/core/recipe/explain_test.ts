import assert from "node:assert/strict";
import { z } from "zod";
import { explain } from "../../../core/recipe/explain.ts";

/** What is said of a value that a schema refuses, as an entry `part` of a recipe. */
function sentences(part: z.ZodType, ...given: unknown[]): string[] {
  const schema = z.strictObject({ part });
  const value = given.length > 0 ? { part: given[0] } : {};
  const { error } = schema.safeParse(value);
  assert.ok(error, JSON.stringify(value));
  return explain(error, schema, { value, path: [], otherKeys: [] }).map(({ sentence }) => sentence);
}

Deno.test("a map of a wrong kind is told by what its alternatives are told apart by", () => {
  const initialise = z.strictObject({ from: z.literal("teacher"), layers: z.int().default(1) }).nullable();
  const known: [unknown, string][] = [
    [{ from: "../folder" }, 'Expected teacher for part.from: got "../folder"'],
    [{ from: 3 }, "Expected teacher for part.from: got 3"],
    [{}, 'Missing key "from" in part: expected teacher'],
    ["teacher", 'Expected a map with from or null for part: got "teacher"'],
    [{ from: "teacher", layer: 1 }, 'Unknown key "layer" in part: did you mean "layers"?'],
  ];
  for (const [value, sentence] of known) assert.deepEqual(sentences(initialise, value), [sentence]);
  assert.deepEqual(sentences(z.strictObject({ size: z.int().default(1) }), { use: "x" }), [
    'Unknown key "use" in part: expected size',
  ]);
  const kinds = z.union([
    z.number(),
    z.strictObject({ kind: z.literal("a"), size: z.int() }),
    z.strictObject({ kind: z.literal("b"), name: z.string() }),
  ]);
  assert.deepEqual(sentences(kinds, { kind: "c", size: 1 }), ['Expected a or b for part.kind: got "c"']);
  assert.deepEqual(sentences(kinds, { kind: "b", name: 1 }), ["Expected a string for part.name: got 1"]);
});

Deno.test("no schema makes a sentence with zod's own words in it", () => {
  const cases: [schema: z.ZodType, value: unknown, sentence: string][] = [
    [z.date(), "today", 'Expected a value of the type date for part: got "today"'],
    [z.bigint(), 3, "Expected a value of the type bigint for part: got 3"],
    [z.map(z.string(), z.number()), [], "Expected a value of the type map for part: got an empty list"],
    [
      z.custom((value) => value === 5),
      4,
      "Cannot take 4 for part: a check of its schema refuses it and does not say why",
    ],
    [
      z.number().refine((value) => value > 5),
      4,
      "Cannot take 4 for part: a check of its schema refuses it and does not say why",
    ],
    [z.number().refine((value) => value > 5, { error: "must be above 5" }), 4, "must be above 5 for part: got 4"],
    [
      z.number().refine((value) => value > 5, { error: "Expected more\n  than 5" }),
      4,
      "Expected more than 5 for part: got 4",
    ],
    [z.string({ error: "Expected the name of a colour" }), 4, "Expected the name of a colour for part: got 4"],
    [
      z.string().regex(/^#/, { error: "Expected a colour such as #fff" }),
      "x",
      'Expected a colour such as #fff for part: got "x"',
    ],
    [z.email(), "x", 'Expected a string of the format email for part: got "x"'],
    [z.url(), "x", 'Expected a string of the format uri for part: got "x"'],
    [z.string().max(3), "long", 'Expected a string of 0 to 3 characters for part: got "long"'],
    [z.string().min(3), "x", 'Expected a string of at least 3 characters for part: got "x"'],
    [z.string().startsWith("a"), "x", 'Expected a string that matches ^a.* for part: got "x"'],
    [z.number().multipleOf(8), 4, "Expected a number that is a multiple of 8 for part: got 4"],
    [z.array(z.int()).max(1), [1, 2], "Expected a list of at most 1 entries, each an integer for part: got [1,2]"],
    [z.literal([1, 2, "x"]), 4, "Expected 1, 2 or x for part: got 4"],
    [z.literal("two words"), 4, 'Expected "two words" for part: got 4'],
    [z.never(), 4, "Expected a value of the type never for part: got 4"],
    [z.stringbool(), 4, "Expected a string for part: got 4"],
    [z.record(z.string().min(2), z.int()), { a: 1 }, 'Unknown key "a" in part: expected a string of >= 2 characters'],
    [z.record(z.string().min(1), z.int()), { "": 1 }, 'Unknown key "" in part: expected a non-empty string'],
    [z.record(z.enum(["a", "b"]), z.int()), { a: 1 }, 'Missing key "b" in part: expected an integer'],
    [z.record(z.string(), z.int()), { a: "x" }, 'Expected an integer for part.a: got "x"'],
    [
      z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
      { a: 1, b: "x" },
      'Expected an integer for part.b: got "x"',
    ],
    [
      z.union([z.date(), z.bigint()]),
      3,
      "Expected a value of the type date or a value of the type bigint for part: got 3",
    ],
    [
      z.union([z.int(), z.date()]),
      "x",
      'Expected a number or a value of the type date for part: got "x"',
    ],
    [z.preprocess(Number, z.int()), "x", 'Expected an integer for part: got "x"'],
    [z.coerce.number(), "x", 'Expected a number for part: got "x"'],
    [z.number().transform(String).pipe(z.string().min(9)), 3, "Expected a number for part: got 3"],
    [
      z.number().meta({ id: "same" }).or(z.string().meta({ id: "same" })),
      true,
      "Expected a number or a string for part: got true",
    ],
    [z.int(), [Number.NaN, Infinity, -0], "Expected an integer for part: got [NaN,Infinity,0]"],
    [z.int(), "\ufeff\u2028", 'Expected an integer for part: got "\\ufeff\\u2028"'],
    [z.int(), new Date(0), "Expected an integer for part: got a Date"],
    [z.int(), { constructor: 1 }, "Expected an integer for part: got a map"],
    [z.int(), () => 1, "Expected an integer for part: got a function"],
  ];
  for (const [schema, value, sentence] of cases) assert.deepEqual(sentences(schema, value), [sentence]);
  const tree: z.ZodType = z.lazy(() => z.strictObject({ size: z.int(), inner: tree.optional() }));
  assert.deepEqual(sentences(tree, { size: 1, inner: { size: "x" } }), [
    'Expected a number for part.inner.size: got "x"',
  ]);
  assert.deepEqual(sentences(z.string({ error: "Expected a name" })), [
    'Missing key "part" at the top level: expected a string',
  ]);
});
