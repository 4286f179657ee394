import { UserError } from "../../../core/errors.ts";
import type { StoredModel, TensorShapes } from "../../../core/plugin/model.ts";
import { ownName, WIDTHS } from "../mobilenet/recognise.ts";
import { parametersOf } from "../mobilenet/parameters.ts";
import { type EfficientnetLite0Options, layOut, type Variant, VARIANTS } from "./architecture.ts";

/** What timm's and this program's config.json say of a network; `null`: nothing. */
function variantIn(config: StoredModel["config"]): Variant | null {
  const { architecture, variant } = config ?? {};
  if (architecture === "tf_efficientnet_lite0") return "tf";
  if (architecture === "efficientnet_lite0") return "timm";
  return architecture === "efficientnet-lite0" ? VARIANTS.find((known) => known === variant) ?? null : null;
}

/** Options that were left open, as the weights have them. @throws UserError where they contradict what is stated */
export function followWeights(
  { shapes, config }: StoredModel,
  options: EfficientnetLite0Options,
): EfficientnetLite0Options {
  const said = variantIn(config);
  const variant = options.variant ?? said;
  if (variant === null) {
    throw new UserError(
      "Cannot tell whether the weights are of tf_efficientnet_lite0 or of efficientnet_lite0, whose tensors are the same, " +
        "as no config.json beside them says it: set variant to tf or timm",
    );
  }
  const saved = config?.architecture === "efficientnet-lite0" ? config as Partial<EfficientnetLite0Options> : {};
  const [stemStride, width] = [saved.stemStride ?? null, saved.width ?? widthOf(shapes)];
  const told = [
    ["variant", variant, said, "config.json says"],
    ["stemStride", options.stemStride, stemStride, "config.json says"],
    ["width", options.width, width, "tensors have"],
  ] as const;
  for (const [key, stated, shown, where] of told) {
    if (stated === null || shown === null || stated === shown) continue;
    throw new UserError(
      `Cannot build the model efficientnet-lite0 with ${key}: ${stated} for these weights, whose ${where} ${shown}: leave ` +
        `${key} out, or name other weights`,
    );
  }
  return { ...options, variant, width: options.width ?? width, stemStride: options.stemStride ?? stemStride };
}

/** Options of a student that were left open, by those of the teacher whose layers it starts from. */
export function followTeacher(
  options: EfficientnetLite0Options,
  teacher: EfficientnetLite0Options,
): EfficientnetLite0Options {
  return {
    ...options,
    variant: options.variant ?? teacher.variant,
    width: options.width ?? teacher.width,
    stemStride: options.stemStride ?? teacher.stemStride,
  };
}

/** What the channels of weights are multiplied by, whatever their classes; `null` if they are of no such network. */
export function widthOf(shapes: TensorShapes): number | null {
  const own = new Map([...shapes].map(([name, shape]) => [ownName(name), shape.join()]));
  const fits = (width: number) =>
    parametersOf(layOut("timm", width, 2), 3, 1, false).every(({ name, shape }) =>
      name.startsWith("classifier.") || name === "conv_stem.weight" || own.get(name) === shape.join()
    );
  return WIDTHS.find(fits) ?? null;
}
