import assert from "node:assert/strict";
import { notationOf, parsePattern } from "../../../core/contract/notation.ts";

const show = (pattern: string) => {
  const { inputs, output } = parsePattern(pattern);
  return `${inputs.map((indices) => indices.join("")).join("|")} ${output.join("")}`;
};

Deno.test("equivalent patterns have the same indices", () => {
  const equivalent: readonly (readonly string[])[] = [
    ["ab,bc->ac", "ab,bc", " a b , b c ", "ab , bc  ->  ac"],
    ["ab->", "ab ->"],
    ["ba->ab", "ba"],
    ["bA->Ab", "bA"], // capitals sort first, as in NumPy
    [",->", ","],
    ["->", ""],
    ["ij,ij->", "ij,ij"],
    ["i,j->ij", "i,j"],
    ["za,ab,bz->", "za,ab,bz"],
  ];
  for (const [first, ...others] of equivalent) {
    for (const other of others) assert.equal(show(other), show(first), `"${other}" is not read as "${first}"`);
  }
});

Deno.test("a pattern is parsed once", () => {
  assert.equal(parsePattern("ab,bc->ca"), parsePattern("ab,bc->ca"));
  assert.equal(notationOf([["x1"], ["x1"]], []), notationOf([["x1"], ["x1"]], []));
});

Deno.test("what cannot be read is refused with the pattern and the place", () => {
  const refused: readonly (readonly [pattern: string, message: RegExp])[] = [
    ["ab->a->b", /Cannot read the contraction "ab->a->b" as it has more than one "->"/],
    ["a1,1b->ab", /"a1,1b->ab" as indices are letters, with commas between operands: found "1"/],
    ["ab->a,b", /found ","/],
    ["...a->a", /found "\."/],
    ["ab-ba", /found "-"/],
    ["aa->a", /"aa->a" as index "a" stands twice in operand 1: for a diagonal or a trace .* an identity matrix/],
    ["ab,bcb->ac", /index "b" stands twice in operand 2/],
    ["ab->aab", /"ab->aab" as index "a" stands twice in the result/],
    ["ab,bc->ad", /no operand has the index "d" of the result/],
  ];
  for (const [pattern, message] of refused) {
    assert.throws(() => parsePattern(pattern), (error) => error instanceof SyntaxError && message.test(error.message));
  }
  assert.throws(() => notationOf([["i1", "i1"]], []), /"i1 i1 -> " as index "i1" stands twice/);
  assert.throws(() => notationOf([], []), /at least one operand/);
});
