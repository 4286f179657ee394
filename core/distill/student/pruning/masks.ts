import { sizeOf } from "../../../tensor.ts";
import { type MaskPlan, numbersOf } from "./mask_plan.ts";
import { smallest } from "./smallest.ts";

/**
 * The masks that leave the weights of the highest scores, 1 for one that stays and 0 for one that goes.
 *
 * Of n weights exactly `round(share * n)` go, halves up. By layer that holds for the first layers together, however
 * many they are, so that each has its share within one. In groups `round(share * m)` of every m go.
 *
 * @param share of the weights that goes
 * @param scores of every weight of the plan, in its shape; of equal ones the first goes
 */
export function masksOf(
  plan: MaskPlan,
  share: number,
  scores: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  if (plan.groups) {
    const going = Math.round(share * plan.groups.of);
    return new Map(
      [...plan.weights].map(([name, shape]) =>
        [name, inGroups(scores.get(name)!, shape, { size: plan.groups!.of, going })] as const
      ),
    );
  }
  if (!plan.byLayer) return together(plan, Math.round(share * numbersOf(plan.weights)), scores);
  let [seen, gone] = [0, 0];
  return new Map([...plan.weights].map(([name, shape]) => {
    seen += sizeOf(shape);
    const going = Math.round(share * seen) - gone;
    gone += going;
    return [name, stays(smallest(scores.get(name)!, going))] as const;
  }));
}

const stays = (going: Uint8Array) => Float32Array.from(going, (goes) => 1 - goes);

function together(
  { weights }: MaskPlan,
  going: number,
  scores: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const all = new Float32Array(numbersOf(weights));
  let end = 0;
  for (const name of weights.keys()) {
    all.set(scores.get(name)!, end);
    end += scores.get(name)!.length;
  }
  const masks = stays(smallest(all, going));
  let begin = 0;
  return new Map([...weights].map(([name, shape]) => {
    const own = masks.slice(begin, begin += sizeOf(shape));
    return [name, own] as const;
  }));
}

/** Groups lie along the inputs, the second axis, as the hardware that knows 2:4 has them. */
function inGroups(
  scores: Float32Array,
  [outputs, inputs, ...places]: readonly number[],
  { size, going }: { readonly size: number; readonly going: number },
): Float32Array {
  const stride = sizeOf(places);
  const mask = new Float32Array(scores.length).fill(1);
  const group = new Float32Array(size);
  for (let row = 0; row < outputs; row++) {
    for (let place = 0; place < stride; place++) {
      for (let first = 0; first < inputs; first += size) {
        const at = (member: number) => (row * inputs + first + member) * stride + place;
        for (let member = 0; member < size; member++) group[member] = scores[at(member)];
        smallestOfFew(group, going).forEach((member) => mask[at(member)] = 0);
      }
    }
  }
  return mask;
}

/** Places of the smallest of a few numbers, of equal ones the first; NaN counts as the largest. */
function smallestOfFew(values: Float32Array, count: number): number[] {
  const key = (place: number) => Number.isNaN(values[place]) ? Infinity : values[place];
  const order = Array.from(values.keys()).sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b);
  return order.slice(0, count);
}

/** The steps after which masks change, with the share of the weights that is zero from then on. */
export function maskChanges(
  { amount, schedule, over }: Pick<MaskPlan, "amount" | "schedule" | "over">,
  totalSteps: number,
): Map<number, number> {
  const span = Math.round(over * totalSteps);
  if (schedule === "once") return new Map([[over === 0 ? 0 : Math.max(1, span), amount]]);
  const last = Math.max(1, span);
  const changes = Math.min(last, MOST_CHANGES);
  return new Map(Array.from({ length: changes }, (_, index) => {
    const step = Math.round(last * (index + 1) / changes);
    // Zhu and Gupta 2017, equation 1, from nothing: many go while many are left to make up for them.
    return [step, amount * (1 - (1 - step / last) ** 3)] as const;
  }));
}

/** Each change reads and writes all masks. */
const MOST_CHANGES = 32;
