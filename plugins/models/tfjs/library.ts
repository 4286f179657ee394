import type * as Converter from "npm:@tensorflow/tfjs-converter@4.22.0";
import type * as Core from "npm:@tensorflow/tfjs-core@4.22.0";
import type * as Layers from "npm:@tensorflow/tfjs-layers@4.22.0";
import type * as Webgpu from "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
import { UserError } from "../../../core/errors.ts";
import { importPackage } from "../../../core/plugin/import_package.ts";

/** The package roots: Deno cannot load files within the packages. */
interface Packages {
  readonly "tfjs-core": typeof Core;
  /** Runs graph models. */
  readonly "tfjs-converter": typeof Converter;
  /** Runs layers models. */
  readonly "tfjs-layers": typeof Layers;
  readonly "tfjs-backend-webgpu": typeof Webgpu;
  /** Importing it registers the backend "wasm". */
  readonly "tfjs-backend-wasm": unknown;
  /** Importing it registers the backend "cpu". */
  readonly "tfjs-backend-cpu": unknown;
}

/** The root of TensorFlow.js. */
export type Tensorflow = typeof Core;

/** A tensor of TensorFlow.js. */
export type ForeignTensor = Core.Tensor;

/** Numbers and layout of a model as TensorFlow.js's loaders take them. */
export type Artifacts = Core.io.ModelArtifacts;

/** The content of `model.json`. */
export type ModelJson = Core.io.ModelJSON;

/** A part of the weights that `model.json` lists. */
export type WeightsEntry = Core.io.WeightsManifestEntry;

/** The version that the types above are of. */
export const VERSION = "4.22.0";

/**
 * Imports a package of TensorFlow.js. The name is put together here, so that Deno does not see it among the program's
 * imports: the package is fetched, once, when a recipe first asks for it.
 *
 * @throws UserError if it can neither be found in Deno's cache nor fetched
 */
export async function importTensorflow<Name extends keyof Packages>(name: Name): Promise<Packages[Name]> {
  const specifier = ["npm:@tensorflow", `${name}@${VERSION}`].join("/");
  try {
    return await importPackage(specifier) as Packages[Name];
  } catch (error) {
    throw new UserError(
      `Cannot load "${specifier}", which Deno fetches, and Node.js wants installed, when a recipe first uses a model ` +
        `of TensorFlow.js: ${firstLine(error)}`,
      { cause: error },
    );
  }
}

/** What went wrong, for a sentence: the rest of a message is a stack or an address. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0].trim().replace(/\.$/, "");
}

/** The runtime's words, which TensorFlow.js lets through; its own errors are of the runtime's classes as well. */
const RUNTIME =
  /undefined|NaN|\[object|Cannot (?:read|set|destructure|convert)|is not (?:a|an|iterable|defined)\b|(?:typed )?array (?:length|buffer)|allocation|call stack/i;

/** What TensorFlow.js finds wrong with a model, for a sentence; where the runtime speaks, a part of it is missing. */
export function whatItSays(error: unknown): string {
  const message = firstLine(error).slice(0, 300);
  if (!RUNTIME.test(message)) return `TensorFlow.js says: ${message}`;
  return "a part of it is missing or damaged, or larger than the memory holds";
}
