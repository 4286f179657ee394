import type { Floats } from "../../backend/backend.ts";
import type { Value } from "../../onnx/trace.ts";
import type { Tensor } from "../../tensor.ts";
import type { Anchor } from "./anchor.ts";
import { type Ball, ballOf, type Box, boxOf, intersection } from "./boxes.ts";
import { extremes } from "./curves.ts";
import type { DeviceNetwork } from "./device_network.ts";
import { type PoolBounds, poolBounds } from "./max_pool.ts";
import type { CurvedStep, LinearStep, MaxPoolStep } from "./network.ts";
import { shapeIn } from "../replay.ts";
import { gamma, roundedUp } from "./rounding.ts";
import { Zonotopes } from "./zonotopes.ts";

/** How far what a network computes can be from what it computes of an image as it is; until it is disposed of. */
export class ForwardBounds implements Disposable {
  /** @internal */
  constructor(
    /** Of what curves and pools get, and of the logits. */
    readonly boxes: ReadonlyMap<Value, Box>,
    /** Of every value, in balls. */
    readonly balls: ReadonlyMap<Value, Ball>,
    /** Of the pools. */
    readonly pools: ReadonlyMap<MaxPoolStep, PoolBounds>,
  ) {}

  [Symbol.dispose](): void {
    for (const { middle, radius } of this.balls.values()) {
      middle.dispose();
      radius.dispose();
    }
  }
}

/**
 * Interval bounds (IBP; Gowal et al. 2018, arXiv 1810.12715), step by step from a box around each image on. What is
 * bounded is the change, from what the network computes of the image itself: a linear map L takes a ball of middle m
 * and radius r to one of middle L m and radius |L| r, which is the same as L's positive and negative parts applied to
 * the ends of an interval, for half of the products.
 *
 * The bounds are sound for computing with real numbers, from the pass in float64 that `anchor` holds on: each linear
 * map adds to its radius what its own sums may be off in float32 (`gamma`), which is a part of the radius, as |L m| is
 * at most |L| r; each curve is bounded in float64 and rounded outwards.
 *
 * @param box of the image's own numbers
 * @param zonotopes whether what numbers have in common is followed, too, for one image: see {@link Zonotopes}
 */
export async function forwardBounds(
  device: DeviceNetwork,
  anchor: Anchor,
  box: Box,
  zonotopes = false,
): Promise<ForwardBounds> {
  const { ops, network } = device;
  const { batch } = anchor;
  const balls = new Map<Value, Ball>();
  const boxes = new Map<Value, Box>();
  const pools = new Map<MaxPoolStep, PoolBounds>();
  const bounds = new ForwardBounds(boxes, balls, pools);
  const shared = zonotopes ? new Zonotopes(device, box) : null;
  const shapeOf = (value: Value) => shapeIn(value.shape, batch);
  const look = async (value: Value) => {
    const { middle, radius } = balls.get(value)!;
    const [m, r] = await ops.read([middle, radius]);
    const own = boxOf(m, r);
    const found = shared ? intersection(own, await shared.boxOf(value)) : own;
    boxes.set(value, found);
    return found;
  };
  try {
    balls.set(network.input, ballOf(ops, box, shapeOf(network.input)));
    for (const step of network.steps) {
      if (step.kind === "linear") {
        balls.set(step.output, throughLinear(device, step, step.inputs.map((input) => balls.get(input)!)));
        shared?.linear(step);
        continue;
      }
      const [input] = step.inputs;
      const given = boxes.get(input) ?? await look(input);
      if (step.kind === "max-pool") {
        const [, height, width, channels] = shapeOf(input);
        const pool = poolBounds({ batch, height, width, channels }, step.options, anchor.of(input), given);
        pools.set(step, pool);
        balls.set(step.output, ballOf(ops, pool.box, shapeOf(step.output)));
        shared?.pool(step, pool);
      } else {
        balls.set(step.output, ballOf(ops, throughCurve(step, anchor.of(input), given), shapeOf(step.output)));
        shared?.curve(step, anchor.of(input), given);
      }
    }
    if (!boxes.has(network.logits)) await look(network.logits);
    return bounds;
  } catch (error) {
    bounds[Symbol.dispose]();
    throw error;
  } finally {
    shared?.[Symbol.dispose]();
  }
}

function throughLinear(device: DeviceNetwork, step: LinearStep, inputs: readonly Ball[]): Ball {
  const { ops } = device;
  const [middle, radius] = ops.scope((): [Tensor, Tensor] => {
    const m = device.run(step, inputs.map(({ middle }) => middle), false);
    const r = device.run(step, inputs.map(({ radius }) => radius), true);
    // What moves numbers gives them back, possibly as the tensor that they came in, whose owner is another ball.
    if (step.terms === 0) return [ops.reshape(m, m.shape), ops.reshape(r, r.shape)];
    return [m, ops.scale(r, widening(step.terms))];
  });
  return { middle, radius };
}

/** What a radius is multiplied by for the rounding of both sums, of factors that were rounded themselves. */
export function widening(terms: number): number {
  return roundedUp(1 + 3 * gamma(terms + 4));
}

function throughCurve({ curve }: CurvedStep, v: Floats, { lower, upper }: Box): Box {
  const [down, up] = [new Float32Array(v.length), new Float32Array(v.length)];
  for (let i = 0; i < v.length; i++) {
    const [least, most] = extremes(curve, v[i], lower[i], upper[i], 0);
    down[i] = roundedUp(-least);
    up[i] = roundedUp(most);
  }
  return { lower: down, upper: up };
}
