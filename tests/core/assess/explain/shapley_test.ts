import assert from "node:assert/strict";
import { exactShapley, type Game, kernelShap } from "../../../../core/assess/explain/shapley.ts";
import { Random } from "../../../../core/data/random.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";

/** A game by what each set, as its members' numbers, is worth. */
const gameOf = (worth: (members: readonly number[]) => number): Game => (sets) =>
  Promise.resolve(sets.map((set) => worth([...set.keys()].filter((player) => set[player] === 1))));

/** Any game: each set is worth what its number draws. */
const anyGame = (players: number): Game => {
  const worth = pseudoRandom(7, 2 ** players, -2, 2);
  return gameOf((members) => worth[members.reduce((number, player) => number + 2 ** player, 0)]);
};

const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);
const random = () => new Random(3);

Deno.test("Shapley values of the glove game, of a linear one, and of a player who adds nothing are known", async () => {
  // One has a left glove, two have a right one; a pair is worth 1.
  const gloves = gameOf((members) => members.includes(0) && members.length > 1 ? 1 : 0);
  assertClose((await exactShapley(3, gloves)).values, [2 / 3, 1 / 6, 1 / 6], 1e-12);
  const weights = pseudoRandom(2, 10, -3, 3);
  const linear = gameOf((members) => 5 + members.reduce((sum, player) => sum + weights[player], 0));
  assertClose((await exactShapley(10, linear)).values, weights, 1e-12);
  const dummy = anyGame(5);
  const withDummy: Game = (sets) => dummy(sets.map((set) => set.subarray(1)));
  assert.ok(Math.abs((await exactShapley(6, withDummy)).values[0]) < 1e-12);
});

Deno.test("Shapley values add up to what all are worth above none", async () => {
  const { values, none, all, sets } = await exactShapley(9, anyGame(9));
  assert.equal(sets, 512);
  assert.ok(Math.abs(sumOf(values) - (all - none)) < 1e-12);
  await assert.rejects(exactShapley(13, anyGame(2)), /all sets of 13 players: of more than 12 they are too many/);
});

Deno.test("KernelSHAP by all sets is exact, and by some adds up all the same", async () => {
  for (const players of [1, 2, 5, 8]) {
    const game = anyGame(players);
    const exact = await exactShapley(players, game);
    const all = await kernelShap(players, game, { sets: 2 ** players - 2, random: random() });
    assert.equal(all.sets, 2 ** players);
    assertClose(all.values, exact.values, 1e-9, `${players} players`);
  }
  const game = anyGame(10);
  const some = await kernelShap(10, game, { sets: 400, random: random() });
  assert.ok(some.sets <= 402);
  assert.ok(Math.abs(sumOf(some.values) - (some.all - some.none)) < 1e-12);
  assertClose(some.values, (await exactShapley(10, game)).values, 0.3);
});

Deno.test("KernelSHAP by drawn sets finds a linear game's weights, and is the same for the same seed", async () => {
  const weights = pseudoRandom(2, 30, -3, 3);
  const linear = gameOf((members) => members.reduce((sum, player) => sum + weights[player], 1));
  const found = await kernelShap(30, linear, { sets: 200, random: random() });
  assert.ok(found.sets <= 202);
  assertClose(found.values, weights, 1e-9);
  const sizes: number[] = [];
  const watched: Game = (sets) => {
    sizes.push(...sets.map(sumOf));
    return linear(sets.map((set) => Uint8Array.of(...set, ...new Uint8Array(18))));
  };
  await kernelShap(12, watched, { sets: 500, random: random() });
  // Of 344 that are drawn a third has 3 or 9 players: 2 / 27 beside 2 / 32, 2 / 35 and 1 / 36.
  const three = sizes.filter((size) => size === 3 || size === 9).length;
  assert.ok(three > 85 && three < 145, `${three}`);
  const curved = gameOf((members) => members.reduce((sum, player) => sum + weights[player], 1) ** 2);
  const runs = [random(), random(), new Random(4)].map((random) => kernelShap(30, curved, { sets: 200, random }));
  const [one, again, other] = await Promise.all(runs);
  assert.deepEqual(one.values, again.values);
  assert.notDeepEqual(one.values, other.values);
  await assert.rejects(
    kernelShap(30, linear, { sets: 10, random: random() }),
    /Cannot tell 30 parts of an example apart by 10 sets of them: expected more/,
  );
});
