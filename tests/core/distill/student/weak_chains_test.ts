import assert from "node:assert/strict";
import { weakChains } from "../../../../core/distill/student/weak_chains.ts";
import { automaticFactors, largestFactors } from "../../../../core/mpo/automatic_shapes.ts";
import { chainParameterCount } from "../../../../core/mpo/shapes.ts";
import type { ChainSpec } from "../../../../core/plugin/chains.ts";
import type { Model } from "../../../../core/plugin/model.ts";

/** A model of one matrix for each size. */
function modelOf(sizes: readonly (readonly [rows: number, cols: number])[]): Model {
  return {
    parameters: sizes.map((shape, index) => ({
      name: `layer${index}.weight`,
      shape,
      initialise: { use: "constant", value: 0 },
      trainable: true,
      overParameterisable: true,
    })),
    config: {},
    forward: () => assert.fail("it is not run"),
    fromForeign: () => null,
  };
}

const specsOf = (sizes: readonly (readonly [rows: number, cols: number])[], cores: number) =>
  new Map<string, { chain: ChainSpec | null }>(sizes.map(([rows, cols], index) => {
    const chain = { ...automaticFactors({ rows, cols, cores }), gauge: "balanced" as const };
    return [`layer${index}.weight`, { chain }];
  }));

Deno.test("a chain over a matrix of prime sides is told, with factors that train more", () => {
  const sizes = [[13, 17], [16, 16]] as const;
  // What is held otherwise is no chain.
  const sentence = weakChains(specsOf(sizes, 3).set("other.weight", { chain: null }), modelOf(sizes));
  assert.equal(
    sentence,
    "1 of 2 chains hardly over-parameterise their matrices: layer0.weight (13 x 17) trains 223 numbers for 221: " +
      "rows [13, 1, 1] with cols [1, 1, 17] would train 559",
  );
});

Deno.test("chains that grow are not told, and of a matrix of one row no factors help", () => {
  const grown = [[16, 16], [8, 72]] as const;
  assert.equal(weakChains(specsOf(grown, 3), modelOf(grown)), null);
  const thin = [[1, 97]] as const;
  assert.match(weakChains(specsOf(thin, 3), modelOf(thin))!, /no factors of its sides would train many more$/);
});

Deno.test("the largest factors are the largest of all by brute force", () => {
  for (const [rows, cols] of [[13, 17], [12, 18], [7, 64], [30, 30]]) {
    const { rows: r, cols: c } = largestFactors(rows, cols, 3);
    const divisors = (size: number) => Array.from({ length: size }, (_, i) => i + 1).filter((d) => size % d === 0);
    const counts = divisors(rows).flatMap((a) =>
      divisors(cols).map((b) => chainParameterCount([a, 1, rows / a], [b, 1, cols / b]))
    );
    assert.equal(chainParameterCount(r, c), Math.max(...counts), `${rows} x ${cols}`);
  }
});
