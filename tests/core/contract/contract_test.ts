import assert from "node:assert/strict";
import { contract, contractIndices } from "../../../core/contract.ts";
import { parsePattern } from "../../../core/contract/notation.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";
import { bruteForce, type HostTensor } from "./brute_force.ts";

/** Odd extents, all different, so that no confusion of two indices goes unseen; `o` and `p` have extent 1. */
const EXTENTS: Record<string, number> = { a: 2, b: 3, c: 5, d: 4, e: 7, f: 6, g: 3, h: 2, o: 1, p: 1, z: 9 };

const PATTERNS = [
  // Matrix products in all four transpositions, and the result transposed.
  ...["ab,bc->ac", "ba,bc->ac", "ab,cb->ac", "ba,cb->ac", "ab,bc->ca", "ba,cb->ca"],
  // Groups of indices that lie side by side, and such that do not.
  ...["abc,cbd->ad", "abc,bcd->ad", "acb,cd->abd", "abc,cd->abd", "abcd,be->aecd", "abc,adc->bd", "cabd,bce->dea"],
  // Batches: in front, elsewhere, in another order, all the way to a product for each element.
  ...["abc,acd->abd", "bac,acd->abd", "abc,bcd->abd", "gabc,gcd->gabd", "abcd,bace->abde", "bqhd,bkhd->bhqk"],
  // Nothing summed: outer products, scalings, elementwise products.
  ...["a,b->ab", "ab,c->cab", "ab,b->ab", "ab,a->ba", "ab,ba->ab", "abc,b->abc", "abcde,bd->abcde", ",ab->ab", ",->"],
  ...["abcdefg,bdf->gfedcba"],
  // Inner products.
  ...["a,a->", "ab,ab->", "ab,ba->", "abc,abc->b", "abc,cba->"],
  // Sums of one operand, before its product or alone.
  ...["ab->a", "ab->b", "ab->", "abc->ca", "ab->ba", "abc->abc", "a->a", "->", "abc,cd->a", "ab,cd->ac", "abz,b->a"],
  // Extents of 1.
  ...["oab,bcp->acop", "op->po", "oa,pa->", "o,p->", "aob,bpc->ac"],
  // Three operands and more.
  ...["ab,bc,cd->ad", "ab,bc,cd->da", "abc,cd,be->ade", "a,b,c->abc", "ab,ab,ab->b", "a,ab,b->", "ab,ca,bc->"],
  ...["ab,ac,ad->bcd", "ab,bc,cd,de,ef->af", "oabg,gcbh,hdep->acdbeo", ",ab,,bc->ca", "a,a,a,a,a,a,a,a,a,ab->b"],
  // Implicit results.
  ...["ab,bc", "ba", "cb,ba", "ab,ab"],
];

const qkExtents = { ...EXTENTS, q: 3, k: 5 };

function operandsOf(pattern: string): HostTensor[] {
  return parsePattern(pattern).inputs.map((indices, operand) => {
    const shape = indices.map((index) => qkExtents[index as keyof typeof qkExtents]);
    const values = pseudoRandom(operand + 1, shape.reduce((size, extent) => size * extent, 1));
    return { shape, values };
  });
}

const upload = (ops: Ops, operands: readonly HostTensor[]) =>
  operands.map(({ shape, values }) => ops.tensor(values, shape));

testBackends("a contraction is the sum over all values of the indices", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-13 : 2e-6;
  for (const pattern of PATTERNS) {
    const operands = operandsOf(pattern);
    const { inputs, output } = parsePattern(pattern);
    const expected = bruteForce(inputs, output, operands);
    const result = ops.scope(() => contract(ops, pattern, ...upload(ops, operands)));
    assert.deepEqual(result.shape, expected.shape, pattern);
    assertClose(await result.read(), expected.values, tolerance, pattern);
    result.dispose();
    assert.equal(backend.memory().storages, 0, `${pattern}: all storages are freed`);
  }
}, [float64, ...backends]);

testBackends("indices given as lists give the same as letters", async (backend) => {
  const ops = createOps(backend);
  const operands = operandsOf("abc,cd,de->aeb");
  const named = [["i1", "j1", "d1"], ["d1", "d2"], ["d2", "j2"]];
  const [byLetters, byNames] = ops.scope(() => {
    const tensors = upload(ops, operands);
    return [
      contract(ops, "abc,cd,de->aeb", ...tensors),
      contractIndices(ops, named, ["i1", "j2", "j1"], tensors),
    ];
  });
  assert.deepEqual(await byNames.read(), await byLetters.read());
}, [float64]);

testBackends("sixty operands with more indices than there are letters", async (backend) => {
  const ops = createOps(backend);
  const count = 60;
  const shapes = Array.from({ length: count }, () => [2, 2]);
  const values = shapes.map((_, k) => pseudoRandom(k + 1, 4));
  const names = shapes.map((_, k) => [`index ${k}`, `index ${k + 1}`]);
  const result = ops.scope(() =>
    contractIndices(ops, names, ["index 0", `index ${count}`], values.map((data) => ops.tensor(data, [2, 2])))
  );
  let expected = [1, 0, 0, 1];
  for (const [a, b, c, d] of values) {
    const [p, q, r, s] = expected;
    expected = [p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d];
  }
  const scale = Math.max(...expected.map(Math.abs));
  assertClose((await result.read()).map((x) => x / scale), expected.map((x) => x / scale), 1e-13);
}, [float64]);

testBackends("the gradient of every operand agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  for (const pattern of PATTERNS) {
    const operands = operandsOf(pattern);
    // In the middle of a graph: the operands are scaled, the result is weighted, and each operand has a second path.
    const lossOf = (tensors: readonly Tensor[]) => {
      const result = contract(ops, pattern, ...tensors.map((tensor) => ops.scale(tensor, 1.25)));
      const weights = ops.tensor(pseudoRandom(99, result.size, 0.5, 1.5), result.shape);
      const main = ops.sum(ops.multiply(result, weights));
      return tensors.reduce((sum, tensor) => ops.add(sum, ops.sum(ops.square(tensor))), main);
    };
    const gradients = ops.scope(() => {
      const tensors = upload(ops, operands);
      return ops.differentiate(() => lossOf(tensors), tensors).gradients.map((gradient) => gradient!);
    });
    const analytic = await ops.read(gradients);
    const lossAt = async (which: number, element: number, shift: number) => {
      const loss = ops.scope(() =>
        lossOf(upload(
          ops,
          operands.map((operand, k) =>
            k === which ? { ...operand, values: shifted(operand.values, element, shift) } : operand
          ),
        ))
      );
      const [value] = await loss.read();
      loss.dispose();
      return value;
    };
    for (const [which, { values }] of operands.entries()) {
      for (let element = 0; element < values.length; element += Math.max(1, Math.floor(values.length / 5))) {
        const step = 1e-5;
        const numeric = (await lossAt(which, element, step) - await lossAt(which, element, -step)) / (2 * step);
        const error = Math.abs(analytic[which][element] - numeric) / Math.max(1, Math.abs(numeric));
        assert.ok(error < 1e-7, `${pattern}, operand ${which}, element ${element}: off by ${error}`);
      }
    }
    gradients.forEach((gradient) => gradient.dispose());
  }
  assert.equal(backend.memory().storages, 0, "all storages are freed");
}, [float64]);

function shifted(values: ArrayLike<number>, element: number, by: number): Float64Array {
  const copy = Float64Array.from(values);
  copy[element] += by;
  return copy;
}

testBackends("shapes that do not fit are refused with the pattern and the shapes", (backend) => {
  const ops = createOps(backend);
  ops.scope(() => {
    const a = ops.full([2, 3], 1), b = ops.full([4, 5], 1);
    const refused: readonly (readonly [call: () => unknown, message: string])[] = [
      [
        () => contract(ops, "ab,bc->ac", a, b),
        'Cannot contract "ab,bc->ac" with shapes [2, 3], [4, 5]: index "b" is 3 in operand 1 and 4 in operand 2',
      ],
      [
        () => contract(ops, "ab,bc->ac", a),
        'Cannot contract "ab,bc->ac" with shapes [2, 3]: the pattern has 2 operands, and there are 1 shapes',
      ],
      [
        () => contract(ops, "abc->a", a),
        'Cannot contract "abc->a" with shapes [2, 3]: operand 1 has 3 indices and 2 dimensions',
      ],
    ];
    for (const [call, message] of refused) assert.throws(call, { name: "RangeError", message });
  });
}, [float64]);
