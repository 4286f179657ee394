// Steps of optimisers, in float64 as the plain loops take them and operation by operation the same.

import { DOUBLE } from "./simd64";

/** Two floats as doubles, or the one that is left over. */
@inline
function loadPair(pointer: usize, both: bool): v128 {
  return f64x2.promote_low_f32x4(both ? v128.load64_zero(pointer) : v128.load32_zero(pointer));
}

/** Rounds two doubles to floats and stores them, or only the first. */
@inline
function storePair(pointer: usize, value: v128, both: bool): void {
  const rounded = f32x4.demote_f64x2_zero(value);
  if (both) v128.store64_lane(pointer, rounded, 0);
  else v128.store32_lane(pointer, rounded, 0);
}

/** Two copies of the double at this place of a list. */
@inline
function setting(settings: usize, index: usize): v128 {
  return v128.load64_splat(settings + index * DOUBLE);
}

/**
 * One step of AdamW for the elements from `begin` to `end`.
 *
 * @param settings doubles: the gradient's factor, beta 1, beta 2, the corrections of both, the learning rate, epsilon,
 * and what weight decay leaves of a parameter
 */
export function adamw(
  gradient: usize, parameter: usize, mean: usize, square: usize, settings: usize, begin: i32, end: i32,
): void {
  let at = <usize> begin << 2;
  for (const pairs = at + (<usize> (end - begin) >> 1 << 3); at < pairs; at += 8) {
    adamwPair(true, gradient + at, parameter + at, mean + at, square + at, settings);
  }
  if (at < <usize> end << 2) adamwPair(false, gradient + at, parameter + at, mean + at, square + at, settings);
}

@inline
function adamwPair(both: bool, gradient: usize, parameter: usize, mean: usize, square: usize, settings: usize): void {
  const beta1 = setting(settings, 1), rest1 = f64x2.sub(f64x2.splat(1), beta1);
  const beta2 = setting(settings, 2), rest2 = f64x2.sub(f64x2.splat(1), beta2);
  const g = f64x2.mul(loadPair(gradient, both), setting(settings, 0));
  const m = f64x2.add(f64x2.mul(beta1, loadPair(mean, both)), f64x2.mul(rest1, g));
  const v = f64x2.add(f64x2.mul(beta2, loadPair(square, both)), f64x2.mul(f64x2.mul(rest2, g), g));
  storePair(mean, m, both);
  storePair(square, v, both);
  const size = f64x2.add(f64x2.sqrt(f64x2.div(v, setting(settings, 4))), setting(settings, 6));
  const step = f64x2.div(f64x2.mul(setting(settings, 5), f64x2.div(m, setting(settings, 3))), size);
  storePair(parameter, f64x2.sub(f64x2.mul(loadPair(parameter, both), setting(settings, 7)), step), both);
}

/**
 * One step of SGD for the elements from `begin` to `end`.
 *
 * @param settings doubles: the gradient's factor, weight decay, momentum, the learning rate
 */
export function sgd(
  gradient: usize, parameter: usize, velocity: usize, settings: usize, nesterov: bool, begin: i32, end: i32,
): void {
  let at = <usize> begin << 2;
  for (const pairs = at + (<usize> (end - begin) >> 1 << 3); at < pairs; at += 8) {
    sgdPair(true, gradient + at, parameter + at, velocity + at, settings, nesterov);
  }
  if (at < <usize> end << 2) sgdPair(false, gradient + at, parameter + at, velocity + at, settings, nesterov);
}

@inline
function sgdPair(
  both: bool, gradient: usize, parameter: usize, velocity: usize, settings: usize, nesterov: bool,
): void {
  const momentum = setting(settings, 2), p = loadPair(parameter, both);
  const scaled = f64x2.mul(loadPair(gradient, both), setting(settings, 0));
  const g = f64x2.add(scaled, f64x2.mul(setting(settings, 1), p));
  const v = f64x2.add(f64x2.mul(momentum, loadPair(velocity, both)), g);
  storePair(velocity, v, both);
  const along = nesterov ? f64x2.add(g, f64x2.mul(momentum, v)) : v;
  storePair(parameter, f64x2.sub(p, f64x2.mul(setting(settings, 3), along)), both);
}
