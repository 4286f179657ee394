import { UserError } from "../../../core/errors.ts";
import type { StoredModel } from "../../../core/plugin/model.ts";
import { type MobilenetOptions, VERSIONS } from "./architecture.ts";
import { isOf, recognise } from "./recognise.ts";

/** Options that were left open, as the weights have them. @throws UserError where they contradict what is stated */
export function followWeights({ shapes, config }: StoredModel, options: MobilenetOptions): MobilenetOptions {
  const saved = config?.architecture === "mobilenet" ? config as Partial<MobilenetOptions> : null;
  if (saved?.stemStride && options.stemStride !== null && options.stemStride !== saved.stemStride) {
    throw new UserError(
      `Cannot build a mobilenet with stemStride: ${options.stemStride} for these weights, whose config.json says ` +
        `${saved.stemStride}: leave stemStride out, or name other weights`,
    );
  }
  const stemStride = options.stemStride ?? saved?.stemStride ?? null;
  const { version, width } = options;
  if (version !== null && width !== null && isOf(shapes, version, width)) return { ...options, stemStride };
  const said = saved?.version && typeof saved.width === "number" && VERSIONS.includes(saved.version)
    ? { version: saved.version, width: saved.width }
    : null;
  const found = said && isOf(shapes, said.version, said.width) ? said : recognise(shapes);
  const contradiction = found && ([["version", version, found.version], ["width", width, found.width]] as const)
    .find(([, stated, shown]) => stated !== null && stated !== shown);
  if (contradiction) {
    const [key, stated, shown] = contradiction;
    throw new UserError(
      `Cannot build a mobilenet with ${key}: ${stated} for these weights, which are of one with ${key}: ${shown}: ` +
        `leave ${key} out, or name other weights`,
    );
  }
  // What is not recognised may be of a width that is stated, or is refused by the names of its tensors.
  if (!found && version === null) {
    throw new UserError(
      "Cannot tell which MobileNet the weights are of, as their tensors are not torchvision's of any: say version " +
        `(${VERSIONS.join(", ")}) and width`,
    );
  }
  return { ...options, version: version ?? found!.version, width: width ?? found?.width ?? null, stemStride };
}

/** Options of a student that were left open, by those of the teacher whose layers it starts from. */
export function followTeacher(options: MobilenetOptions, teacher: MobilenetOptions): MobilenetOptions {
  return {
    ...options,
    version: options.version ?? teacher.version,
    width: options.width ?? teacher.width,
    stemStride: options.stemStride ?? teacher.stemStride,
  };
}
