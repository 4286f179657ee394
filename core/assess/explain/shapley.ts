import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";

/** The most groups whose subsets are all looked at. */
export const MOST_EXACT = 12;

/**
 * What a game is worth to each set of players: of each set, given as 1 for a player who is in it and 0 for one who is
 * not, its value.
 */
export type Game = (sets: readonly Uint8Array[]) => Promise<ArrayLike<number>>;

/** What each player adds, and what the game is worth without and with all of them. */
export interface ShapleyValues {
  readonly values: Float64Array;
  readonly none: number;
  readonly all: number;
  /** How many sets were looked at. */
  readonly sets: number;
}

/**
 * The Shapley values of a game, by all its sets: phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! times
 * (v(S + i) - v(S)). Shapley 1953.
 *
 * @throws RangeError for more than 12 players, whose sets are too many
 */
export async function exactShapley(players: number, game: Game): Promise<ShapleyValues> {
  if (players > MOST_EXACT) {
    throw new RangeError(`Cannot look at all sets of ${players} players: of more than ${MOST_EXACT} they are too many`);
  }
  const count = 2 ** players;
  const worth = await game(Array.from({ length: count }, (_, set) => setOf(set, players)));
  const values = new Float64Array(players);
  for (let set = 0; set < count; set++) {
    const size = bits(set);
    // |S|! (n - |S| - 1)! / n! is 1 / (n times n - 1 over |S|).
    const weight = 1 / (players * choose(players - 1, size));
    for (let player = 0; player < players; player++) {
      if ((set >> player & 1) === 0) values[player] += weight * (worth[set | 1 << player] - worth[set]);
    }
  }
  return { values, none: worth[0], all: worth[count - 1], sets: count };
}

/**
 * KernelSHAP (Lundberg and Lee 2017, arXiv 1705.07874, section 4.1): the Shapley values by a linear fit to what some
 * sets are worth, which is weighted so that by all sets it is exact, and adds up to v(all) - v(none) in any case. Sets
 * of few and of nearly all players count most, and are all taken while they fit; the others are drawn, each with its
 * complement.
 *
 * @param sets how many are looked at beside none and all
 * @throws UserError if they are too few to tell the players apart
 */
export async function kernelShap(
  players: number,
  game: Game,
  { sets: most, random }: { readonly sets: number; readonly random: Random },
): Promise<ShapleyValues> {
  const [empty, full] = [new Uint8Array(players), new Uint8Array(players).fill(1)];
  if (players < 2) {
    const [none, all] = Array.from(await game([empty, full]));
    return { values: new Float64Array(players).fill(all - none), none, all, sets: 2 };
  }
  const chosen = chooseSets(players, most, random);
  const worth = await game([empty, full, ...chosen.map(({ set }) => set)]);
  const [none, all] = [worth[0], worth[1]];
  // The last player has what the others leave of v(all) - v(none): a fit of one number less.
  const size = players - 1;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  chosen.forEach(({ set, weight }, index) => {
    const last = set[size];
    const target = worth[index + 2] - none - last * (all - none);
    for (let i = 0; i < size; i++) {
      const row = set[i] - last;
      if (row === 0) continue;
      for (let j = 0; j < size; j++) matrix[i][j] += weight * row * (set[j] - last);
      matrix[i][size] += weight * row * target;
    }
  });
  const solved = solve(matrix);
  if (!solved) {
    throw new UserError(
      `Cannot tell ${players} parts of an example apart by ${chosen.length} sets of them: expected more sets`,
    );
  }
  const rest = all - none - solved.reduce((sum, value) => sum + value, 0);
  return { values: Float64Array.of(...solved, rest), none, all, sets: chosen.length + 2 };
}

interface WeightedSet {
  readonly set: Uint8Array;
  readonly weight: number;
}

/** Sets beside none and all, and what each counts. */
function chooseSets(players: number, most: number, random: Random): WeightedSet[] {
  // All sets of a size together count (n - 1) / (size (n - size)).
  const counts = Array.from(
    { length: players - 1 },
    (_, index) => (players - 1) / ((index + 1) * (players - index - 1)),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  const chosen: WeightedSet[] = [];
  let size = 1;
  for (; 2 * size <= players; size++) {
    const sizes = 2 * size === players ? [size] : [size, players - size];
    const number = sizes.length * choose(players, size);
    if (chosen.length + number > most) break;
    for (const set of combinations(players, size)) {
      const weight = counts[size - 1] / total / choose(players, size);
      chosen.push({ set, weight });
      if (sizes.length === 2) chosen.push({ set: set.map((one) => 1 - one), weight });
    }
  }
  if (2 * size > players) return chosen;
  const left = counts.slice(size - 1, players - size);
  const open = left.reduce((sum, count) => sum + count, 0);
  const pairs = Math.floor((most - chosen.length) / 2);
  for (let pair = 0; pair < pairs; pair++) {
    const set = drawn(players, size + place(left, random.uniform() * open), random);
    const weight = open / total / (2 * pairs);
    chosen.push({ set, weight }, { set: set.map((one) => 1 - one), weight });
  }
  return chosen;
}

/** Where a number is among numbers that are added up. */
function place(counts: readonly number[], at: number): number {
  let sum = 0;
  const found = counts.findIndex((count) => (sum += count) > at);
  return found < 0 ? counts.length - 1 : found;
}

/** A set of so many players, each as likely. */
function drawn(players: number, size: number, random: Random): Uint8Array {
  const order = random.shuffle(Uint32Array.from({ length: players }, (_, player) => player));
  const set = new Uint8Array(players);
  for (const player of order.subarray(0, size)) set[player] = 1;
  return set;
}

function* combinations(players: number, size: number, first = 0): Generator<Uint8Array> {
  if (size === 0) return yield new Uint8Array(players);
  for (let player = first; player <= players - size; player++) {
    for (const set of combinations(players, size - 1, player + 1)) {
      set[player] = 1;
      yield set;
    }
  }
}

const setOf = (number: number, players: number) =>
  Uint8Array.from({ length: players }, (_, player) => number >> player & 1);

function bits(number: number): number {
  let count = 0;
  for (let left = number; left > 0; left >>= 1) count += left & 1;
  return count;
}

/** How many sets of a size there are. */
function choose(of: number, size: number): number {
  let result = 1;
  for (let i = 0; i < size; i++) result = result * (of - i) / (i + 1);
  return result;
}

/** The solution of linear equations `[n, n + 1]`, by Gauss's elimination with pivots; `null` if there is not one. */
function solve(matrix: readonly Float64Array[]): number[] | null {
  const size = matrix.length;
  const rows = [...matrix];
  const largest = Math.max(...rows.map((row, index) => Math.abs(row[index])));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    }
    if (!(Math.abs(rows[pivot][column]) > 1e-10 * largest)) return null;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row][column] / rows[column][column];
      for (let at = column; at <= size; at++) rows[row][at] -= factor * rows[column][at];
    }
  }
  const result = new Array<number>(size);
  for (let row = size - 1; row >= 0; row--) {
    let sum = rows[row][size];
    for (let at = row + 1; at < size; at++) sum -= rows[row][at] * result[at];
    result[row] = sum / rows[row][row];
  }
  return result;
}
