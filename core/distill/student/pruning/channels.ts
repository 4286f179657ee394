import type { Random } from "../../../data/random.ts";
import { UserError } from "../../../errors.ts";
import {
  type KeptChannels,
  narrowedShapes,
  type Numbers,
  shapeOf,
  strides,
  widthsOf,
} from "../../../plugin/inner_widths.ts";
import type { InnerWidth, Model } from "../../../plugin/model.ts";
import { countTrainable } from "../../../plugin/parameters.ts";
import type { Section } from "../../../recipe/checked.ts";
import { assignLayers } from "../../../recipe/globs.ts";
import type { PruneSettings } from "../../../recipe/recipe_type.ts";

/** The inner widths that `student.prune` chooses. @throws UserError with line and column if the model has none such */
export function chosenWidths(recipe: Section<PruneSettings>, model: Model): InnerWidth[] {
  const widths = model.innerWidths ?? [];
  if (widths.length === 0) {
    throw recipe.error(
      ["structure"],
      "Cannot take channels away from a model that does not say which of its widths may shrink: expected unstructured or n:m",
    );
  }
  const names = widths.map(({ name }) => name);
  const chosen = assignLayers([recipe.value], names, (_, sentence) => recipe.error(["layers"], sentence));
  return widths.filter(({ name }) => chosen.has(name));
}

/**
 * The channels that stay, as `student.prune` says: of each chosen width `round(amount * channels)` go, halves up, or by
 * scope global that many of all together, their scores divided by the root of their mean square within each width. One
 * channel of each stays in any case.
 *
 * @param share of those that are to go, 1: all, 0: none
 * @throws UserError with line and column if the model has no such widths, or cannot be as small as is asked
 */
export function chooseChannels(
  recipe: Section<PruneSettings>,
  model: Model,
  numbers: Numbers,
  random: Random,
  share = 1,
): KeptChannels {
  const widths = model.innerWidths ?? [];
  const { method, scope, amount, parameters } = recipe.value;
  const names = widths.map(({ name }) => name);
  const own = chosenWidths(recipe, model);
  const chosen = new Set(own.map(({ name }) => name));
  const scored = own.map((width) => ({
    width,
    scores: method === "random" ? draws(width, random.split(width.name)) : scoresOf(model, width, numbers),
  }));
  const rank = scope === "global" ? together(scored) : each(scored);
  const others = widths.filter(({ name }) => !chosen.has(name)).map(({ name, size }) => [name, places(size)] as const);
  const keptAt = (count: number): KeptChannels => {
    const kept = new Map([...others, ...rank.keep(count)]);
    return new Map(names.map((name) => [name, kept.get(name)!]));
  };
  if (amount !== null) return keptAt(share * rank.countFor(amount));
  const sizeAt = (count: number) => countTrainable(narrowedShapes(model, widthsOf(keptAt(count))));
  let [low, high] = [0, rank.most];
  if (sizeAt(high) > parameters!) {
    const [wanted, least] = [parameters!, sizeAt(high)].map((number) => number.toLocaleString("en"));
    throw recipe.error(
      ["parameters"],
      `Cannot leave ${wanted} numbers of the student: with one channel in each width that prune.layers chooses it has ${least}`,
    );
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sizeAt(middle) <= parameters!) high = middle;
    else low = middle + 1;
  }
  return keptAt(share * low);
}

interface Scored {
  readonly width: InnerWidth;
  /** Of each channel; the smallest go first. */
  readonly scores: Float64Array;
}

/** Which channels stay as more and more go. */
interface Ranking {
  /** The greatest count that makes a difference. */
  readonly most: number;
  /** The count for a part of the channels. */
  countFor(amount: number): number;
  keep(count: number): (readonly [string, number[]])[];
}

/** Steps of a part in which widths shrink together. */
const STEPS = 10_000;

/** Each width by itself: a count stands for the part that goes. */
function each(scored: readonly Scored[]): Ranking {
  const orders = scored.map(({ width, scores }) => ({ width, order: ascending(scores) }));
  return {
    most: STEPS,
    countFor: (amount) => amount * STEPS,
    keep: (count) =>
      orders.map(({ width: { name, size }, order }) => {
        const going = Math.min(Math.round(count / STEPS * size), size - 1);
        return [name, order.slice(going).sort((a, b) => a - b)] as const;
      }),
  };
}

/** All widths together: a count is of channels. */
function together(scored: readonly Scored[]): Ranking {
  const all = scored.flatMap(({ width: { name }, scores }) => {
    const unit = Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0) / scores.length) || 1;
    const order = ascending(scores);
    // The best of each width stays.
    return order.slice(0, -1).map((channel) => ({ name, channel, score: scores[channel] / unit }));
  });
  const order = ascending(Float64Array.from(all, ({ score }) => score)).map((place) => all[place]);
  const channels = scored.reduce((sum, { width: { size } }) => sum + size, 0);
  return {
    most: order.length,
    countFor: (amount) => Math.min(Math.round(amount * channels), order.length),
    keep: (count) => {
      const going = new Set(order.slice(0, Math.round(count)).map(({ name, channel }) => `${name} ${channel}`));
      return scored.map(({ width: { name, size } }) =>
        [name, places(size).filter((channel) => !going.has(`${name} ${channel}`))] as const
      );
    },
  };
}

const places = (size: number) => Array.from({ length: size }, (_, channel) => channel);

/** Places from the smallest number to the largest, of equal ones the first before. */
function ascending(scores: Float64Array): number[] {
  return places(scores.length).sort((a, b) => scores[a] - scores[b] || a - b);
}

const draws = ({ size }: InnerWidth, random: Random) => Float64Array.from({ length: size }, () => random.uniform());

function scoresOf(model: Model, { name, size, tensors, scoredBy }: InnerWidth, numbers: Numbers): Float64Array {
  const scores = new Float64Array(size).fill(1);
  for (const tensor of scoredBy) {
    const found = tensors.find(({ name }) => name === tensor);
    if (!found) throw new UserError(`Cannot score the channels of ${name} by ${tensor}, which is none of its tensors`);
    const squares = new Float64Array(size);
    const { stride } = strides(shapeOf(model, tensor), found.axis);
    numbers.get(tensor)!.forEach((value, index) => squares[Math.floor(index / stride) % size] += value * value);
    squares.forEach((square, channel) => scores[channel] *= Math.sqrt(square));
  }
  return scores;
}
