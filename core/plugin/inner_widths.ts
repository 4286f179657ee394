import { UserError } from "../errors.ts";
import { sizeOf } from "../tensor.ts";
import type { Model, ParameterSpec } from "./model.ts";

/** The numbers of a model by the names of its tensors. */
export type Numbers = ReadonlyMap<string, Float32Array>;

/** The channels that stay of each inner width, ascending, by its name; widths in the model's order. */
export type KeptChannels = ReadonlyMap<string, readonly number[]>;

/** How many channels each width has left. */
export function widthsOf(kept: KeptChannels): Map<string, number> {
  return new Map([...kept].map(([name, channels]) => [name, channels.length]));
}

/** The shape of a tensor that an inner width names. @throws UserError if the model has none of that name */
export function shapeOf({ parameters }: Pick<Model, "parameters">, name: string): readonly number[] {
  const found = parameters.find((parameter) => parameter.name === name);
  if (!found) throw new UserError(`Cannot find ${name}, which the model lists among its inner widths`);
  return found.shape;
}

/** How far apart two numbers along an axis are, and how many there are. */
export const strides = (shape: readonly number[], axis: number): { stride: number; extent: number } => ({
  stride: sizeOf(shape.slice(axis + 1)),
  extent: shape[axis],
});

/** The parameters with other inner widths; the model need not be able to have them. */
export function narrowedShapes(
  { parameters, innerWidths = [] }: Model,
  widths: ReadonlyMap<string, number>,
): ParameterSpec[] {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, [...shape]]));
  for (const { name, tensors } of innerWidths) {
    for (const { name: tensor, axis } of tensors) shapes.get(tensor)![axis] = widths.get(name)!;
  }
  return parameters.map((parameter) => ({ ...parameter, shape: shapes.get(parameter.name)! }));
}

/** Masks of some of a model's tensors, 1 for numbers of channels that stay and 0 for others. */
export function channelMasks(model: Model, kept: KeptChannels, names: Iterable<string>): Map<string, Float32Array> {
  const ones = new Map([...names].map((name) => [name, new Float32Array(sizeOf(shapeOf(model, name))).fill(1)]));
  return channelsAtZero(model, ones, kept);
}

/** The channels that masks leave, those of {@link channelMasks}; of a width without masks all. */
export function keptByMasks(model: Model, masks: Numbers): KeptChannels {
  return new Map((model.innerWidths ?? []).map(({ name, size, tensors }) => {
    const all = Array.from({ length: size }, (_, channel) => channel);
    const found = tensors.find(({ name }) => masks.has(name));
    if (!found) return [name, all];
    const mask = masks.get(found.name)!;
    const { stride } = strides(shapeOf(model, found.name), found.axis);
    const stays = new Set<number>();
    mask.forEach((value, index) => value !== 0 && stays.add(Math.floor(index / stride) % size));
    return [name, all.filter((channel) => stays.has(channel))];
  }));
}

/** A model's numbers without the channels that go, in the shapes of the narrower model. */
export function withoutChannels(model: Model, numbers: Numbers, kept: KeptChannels): Map<string, Float32Array> {
  const result = new Map(numbers);
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, [...shape]]));
  eachAxis(model, kept, (tensor, axis, channels) => {
    const shape = shapes.get(tensor)!;
    result.set(tensor, taken(result.get(tensor)!, shape, axis, channels));
    shape[axis] = channels.length;
  });
  return result;
}

/** The same numbers, those of the channels that go at zero: what the narrower model must give, this one does. */
export function channelsAtZero(model: Model, numbers: Numbers, kept: KeptChannels): Map<string, Float32Array> {
  const result = new Map(numbers);
  eachAxis(model, kept, (tensor, axis, channels) => {
    const { stride, extent } = strides(shapeOf(model, tensor), axis);
    const stays = new Set(channels);
    const values = result.get(tensor);
    if (!values) return;
    result.set(tensor, values.map((value, index) => stays.has(Math.floor(index / stride) % extent) ? value : 0));
  });
  return result;
}

function eachAxis(
  { innerWidths = [] }: Model,
  kept: KeptChannels,
  body: (tensor: string, axis: number, channels: readonly number[]) => void,
): void {
  for (const { name, tensors } of innerWidths) {
    for (const { name: tensor, axis } of tensors) body(tensor, axis, kept.get(name)!);
  }
}

/** Some places along an axis. */
function taken(
  values: Float32Array,
  shape: readonly number[],
  axis: number,
  channels: readonly number[],
): Float32Array {
  const { stride, extent } = strides(shape, axis);
  const result = new Float32Array(values.length / extent * channels.length);
  let end = 0;
  for (let begin = 0; begin < values.length; begin += extent * stride) {
    for (const channel of channels) {
      result.set(values.subarray(begin + channel * stride, begin + (channel + 1) * stride), end);
      end += stride;
    }
  }
  return result;
}
