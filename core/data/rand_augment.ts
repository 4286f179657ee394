import { type Operation, OPERATIONS } from "./image_operations.ts";
import type { Random } from "./random.ts";

/**
 * RandAugment (Cubuk et al. 2020, arXiv 1909.13719): a few operations, each as likely, all equally strong. Operations
 * and their strengths are those of `torchvision.transforms.RandAugment`.
 */
export interface RandAugment {
  /** How many are applied to an image, one after another. */
  readonly operations: number;
  /** The step of their strength, from 0 up to but not `bins`. */
  readonly magnitude: number;
  /** In how many steps the strongest is reached. */
  readonly bins: number;
}

/** Draws what becomes of an image. @param random of this image alone */
export function drawOperations(random: Random, strength: RandAugment, height: number, width: number): Operation[] {
  return Array.from({ length: strength.operations }, () => {
    const name = OPERATIONS[random.below(OPERATIONS.length)];
    const { magnitude, signed } = strengthOf(name, strength, height, width);
    return { name, magnitude: signed && random.below(2) === 1 ? -magnitude : magnitude };
  });
}

/** How strong an operation is, and whether it goes either way. */
export function strengthOf(
  name: Operation["name"],
  { magnitude, bins }: Omit<RandAugment, "operations">,
  height: number,
  width: number,
): { readonly magnitude: number; readonly signed: boolean } {
  const part = magnitude / (bins - 1);
  const either = (most: number) => ({ magnitude: Math.fround(most * part), signed: true });
  switch (name) {
    case "shearX":
    case "shearY":
      return either(0.3);
    case "translateX":
      return either(150 / 331 * width);
    case "translateY":
      return either(150 / 331 * height);
    case "rotate":
      return either(30);
    case "brightness":
    case "colour":
    case "contrast":
    case "sharpness":
      return either(0.9);
    case "posterize":
      return { magnitude: 8 - roundToEven(4 * part), signed: false };
    case "solarize":
      return { magnitude: Math.fround(255 * (1 - part)), signed: false };
    case "identity":
    case "autoContrast":
    case "equalize":
      return { magnitude: 0, signed: false };
  }
}

/** As PyTorch rounds: halves to the even number. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + below % 2 : Math.round(value);
}
