import assert from "node:assert/strict";
import { planContraction, planIndices } from "../../../core/contract.ts";
import { greedyPairs, optimalPairs, type Pair } from "../../../core/contract/order.ts";
import { networkOf } from "../../../core/contract/network.ts";
import { parsePattern } from "../../../core/contract/notation.ts";

const chainPattern = (count: number) => {
  const letter = (k: number) => String.fromCharCode(97 + k);
  const inputs = Array.from({ length: count }, (_, k) => letter(k) + letter(k + 1));
  return `${inputs.join(",")}->a${letter(count)}`;
};
const chainShapes = (extents: readonly number[]) => extents.slice(1).map((extent, k) => [extents[k], extent]);

Deno.test("the textbook matrix chain is contracted in the order with the fewest multiplications", () => {
  const plan = planContraction("ab,bc,cd->ad", [[10, 1000], [1000, 5], [5, 60]]);
  assert.deepEqual(plan.steps.map((step) => step.pattern), ["ab,bc->ac", "ac,cd->ad"]);
  assert.equal(plan.multiplyAdds, 10 * 1000 * 5 + 10 * 5 * 60);
  assert.equal(plan.naiveMultiplyAdds, 2 * 10 * 1000 * 5 * 60);
  assert.equal(plan.largestIntermediate, 50);
  // Introduction to Algorithms (Cormen et al.), section "Matrix-chain multiplication": 15,125.
  const textbook = planContraction(chainPattern(6), chainShapes([30, 35, 15, 5, 10, 20, 25]));
  assert.equal(textbook.multiplyAdds, 15125);
});

Deno.test("the order has the least cost of all orders", () => {
  const cases: readonly (readonly [pattern: string, extents: Record<string, number>])[] = [
    ["ab,bc,cd,da->", { a: 7, b: 2, c: 11, d: 3 }],
    ["abc,cde,efa,bdf->", { a: 2, b: 9, c: 4, d: 3, e: 5, f: 2 }],
    ["ab,ac,ad,bcd->a", { a: 8, b: 2, c: 6, d: 3 }],
    ["a,b,ab,bc,c->c", { a: 6, b: 5, c: 4 }],
    ["ab,cd,bd,ae,ce->e", { a: 3, b: 4, c: 5, d: 2, e: 6 }],
  ];
  for (const [pattern, extents] of cases) {
    const { inputs } = parsePattern(pattern);
    const plan = planContraction(pattern, inputs.map((indices) => indices.map((index) => extents[index])));
    assert.equal(plan.multiplyAdds, cheapest(pattern, extents), pattern);
  }
});

/** The least cost over all orders, tried one by one. */
function cheapest(pattern: string, extents: Record<string, number>): number {
  const { inputs, output } = parsePattern(pattern);
  const size = (indices: Iterable<string>) => [...indices].reduce((product, index) => product * extents[index], 1);
  const search = (live: readonly string[]): number => {
    if (live.length === 1) return 0;
    let best = Infinity;
    for (let i = 0; i < live.length; i++) {
      for (let j = i + 1; j < live.length; j++) {
        const rest = live.filter((_, k) => k !== i && k !== j);
        const union = [...new Set([...live[i], ...live[j]])];
        const kept = union.filter((index) => output.includes(index) || rest.some((indices) => indices.includes(index)));
        best = Math.min(best, size(union) + search([...rest, kept.join("")]));
      }
    }
    return best;
  };
  return search(inputs.map((indices) => indices.join("")));
}

Deno.test("an outer product comes first where that is cheaper", () => {
  const plan = planContraction("a,b,abc->c", [[2], [3], [2, 3, 1000]]);
  assert.deepEqual(plan.steps.map((step) => step.pattern), ["a,b->ab", "ab,abc->c"]);
  assert.equal(plan.multiplyAdds, 6 + 6000);
});

Deno.test("among orders of equal cost the one with the smaller intermediate result wins", () => {
  // Left first: 36 + 36 with 12 numbers between; right first: 54 + 18 with 9. And the mirror image.
  for (const extents of [[2, 3, 6, 3], [3, 6, 3, 2]]) {
    const plan = planContraction("ab,bc,cd->ad", chainShapes(extents));
    assert.equal(plan.multiplyAdds, 72);
    assert.equal(plan.largestIntermediate, 9);
  }
});

/** The cost of contracting a chain of matrices in this order, which must join neighbours only. */
function chainCost(pairs: readonly Pair[], extents: readonly number[]): number {
  const ends = extents.slice(1).map((_, k) => [k, k + 1]);
  return pairs.reduce((cost, [a, b]) => {
    const [left, right] = ends[a][0] < ends[b][0] ? [ends[a], ends[b]] : [ends[b], ends[a]];
    assert.equal(left[1], right[0], "neighbours");
    ends.push([left[0], right[1]]);
    return cost + extents[left[0]] * extents[left[1]] * extents[right[1]];
  }, 0);
}

Deno.test("the greedy order of an OPDF chain is the best one", () => {
  for (const middles of [1, 3, 6]) {
    const extents = [1024, ...new Array<number>(middles + 2).fill(576)];
    const network = networkOf(parsePattern(chainPattern(middles + 2)), chainShapes(extents));
    assert.equal(chainCost(greedyPairs(network), extents), chainCost(optimalPairs(network), extents));
  }
});

Deno.test("the greedy order leaves outer products to the end", () => {
  // That of the two 2 x 2 matrices at the ends would be the cheapest pair.
  const extents = [2, 2, 50, 50, 50, 50, 50, 2, 2];
  const network = networkOf(parsePattern(chainPattern(8)), chainShapes(extents));
  assert.ok(chainCost(greedyPairs(network), extents) < 1.05 * chainCost(optimalPairs(network), extents));
  assert.deepEqual(greedyPairs(networkOf(parsePattern("ab,c,bd,d->abcd"), [[2, 3], [4], [3, 5], [5]])), [
    [2, 3], // d is shared: 3 * 5
    [0, 4], // b is shared: 2 * 3 * 5
    [1, 5],
  ]);
});

Deno.test("beyond ten operands the order is greedy, and the plan says so", () => {
  const shapes = (count: number) => chainShapes([1024, ...new Array<number>(count).fill(576)]);
  assert.equal(planContraction(chainPattern(10), shapes(10)).search, "optimal");
  const plan = planContraction(chainPattern(12), shapes(12));
  assert.equal(plan.search, "greedy");
  assert.equal(plan.multiplyAdds, 10 * 576 ** 3 + 1024 * 576 ** 2);
  assert.match(String(plan), /^order +the cheapest pair first, as there are many operands$/m);
});

/** The chain of METHODS: rows and columns [32, 1, .., 1, 24], bond 576. */
function opdfChain(order: number) {
  const bond = 576;
  const inputs = Array.from({ length: order }, (_, k) => [`d${k}`, `i${k}`, `j${k}`, `d${k + 1}`]);
  const shapes = inputs.map((_, k) => {
    const leg = k === 0 ? 32 : k === order - 1 ? 24 : 1;
    return [k === 0 ? 1 : bond, leg, leg, k === order - 1 ? 1 : bond];
  });
  const legs = ["i", "j"].flatMap((name) => inputs.map((_, k) => `${name}${k}`));
  return planIndices(inputs, legs, shapes);
}

Deno.test("an OPDF chain folds its square middles first, below the cost from left to right", () => {
  for (const order of [2, 3, 5, 8, 10]) {
    const leftToRight = (order - 1) * 1024 * 576 ** 2;
    const plan = opdfChain(order);
    assert.equal(plan.multiplyAdds, (order - 2) * 576 ** 3 + 1024 * 576 ** 2);
    assert.ok(plan.multiplyAdds <= leftToRight);
    assert.equal(plan.steps.filter(({ method }) => method.name === "matmul").length, order - 1);
    // Nothing moves until the last step brings the rows' factors before the columns'.
    const moves = plan.steps.filter(({ method }) =>
      method.name === "permute" || (method.name === "matmul" && (method.first.order || method.second.order))
    );
    assert.deepEqual(moves.map(({ method }) => method.name), ["permute"]);
  }
});

Deno.test("each pair is one matrix product, save where there is nothing for it to do", () => {
  const methods: readonly (readonly [pattern: string, methods: readonly string[]])[] = [
    ["ab,bc->ac", ["matmul"]],
    ["ab,b->a", ["matmul"]],
    ["abc,adc->abd", ["matmul"]],
    ["a,b->ab", ["matmul"]],
    ["ab,ab->a", ["multiply"]],
    ["ab,ab->", ["multiply"]],
    ["ab,a->ab", ["multiply"]],
    ["abcde,bd->abcde", ["matmul", "permute"]], // alternates more often than the multiply kernel walks
    ["ab,bc->c", ["sum", "matmul"]], // a is summed before the product, which is that of a vector
    ["ab->ba", ["permute"]],
    ["ab->ab", []],
  ];
  for (const [pattern, expected] of methods) {
    const { steps } = planContraction(pattern, parsePattern(pattern).inputs.map((indices) => indices.map(() => 2)));
    assert.deepEqual(steps.map(({ method }) => method.name), expected, pattern);
  }
});

Deno.test("transposes are flags, not copies", () => {
  const shapes = { a: 4, b: 5, c: 6, d: 7, e: 8 } as Record<string, number>;
  const moves = (pattern: string) => {
    const { inputs } = parsePattern(pattern);
    const { steps } = planContraction(pattern, inputs.map((indices) => indices.map((index) => shapes[index])));
    return steps.flatMap(({ method }) =>
      method.name === "permute" ? ["result"] : method.name === "matmul"
        ? [
          ...(method.first.order ? ["first"] : []),
          ...(method.second.order ? ["second"] : []),
        ]
        : []
    );
  };
  for (
    const pattern of [
      ...["ab,bc->ac", "ba,bc->ac", "ab,cb->ac", "ba,cb->ac", "ab,bc->ca", "ba,bc->ca", "ab,cb->ca"],
      ...["abc,acd->abd", "acb,acd->abd", "abc,adc->abd", "abc,dbc->ad", "bca,bcd->da", "abcd,ed->abce"],
    ]
  ) assert.deepEqual(moves(pattern), [], pattern);
  assert.deepEqual(moves("bac,acd->abd"), ["first"]);
  // 4 * 7 * 5 numbers of the result are fewer than either operand's that would have to move.
  assert.deepEqual(moves("abc,cd->adb"), ["result"]);
});

Deno.test("a plan refuses extents that no tensor has", () => {
  assert.throws(() => planContraction("ab->a", [[2, 0]]), {
    name: "RangeError",
    message: 'Cannot contract "ab->a" with shapes [2, 0]: extents must be whole numbers from 1, and one is 0',
  });
});

Deno.test("a plan is made once for a pattern and shapes", () => {
  assert.equal(planContraction("ab,bc", [[2, 3], [3, 4]]), planContraction("ab,bc", [[2, 3], [3, 4]]));
  assert.notEqual(planContraction("ab,bc", [[2, 3], [3, 4]]), planContraction("ab,bc", [[2, 3], [3, 5]]));
});

Deno.test("a plan prints as a table that can be checked by hand", () => {
  const plan = planContraction("ab,bc,cd->ad", [[10, 1000], [1000, 5], [5, 60]]);
  assert.equal(
    String(plan),
    `contraction           ab,bc,cd->ad
shapes                [10, 1000] [1000, 5] [5, 60]
order                 the best of all
multiply-adds         53,000
  in one loop nest    6,000,000 (113 times as many)
largest intermediate  50 numbers

result  of     pattern    method  multiply-adds  shape
#3      #0 #1  ab,bc->ac  matmul         50,000  [10, 5]
#4      #3 #2  ac,cd->ad  matmul          3,000  [10, 60]`,
  );
});
