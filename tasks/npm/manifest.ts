import { VERSION as ONNX } from "../../core/onnx/runtime/library.ts";
import { VERSION as TENSORFLOW } from "../../plugins/models/tfjs/library.ts";

/** What of `deno.json` goes into the package. */
export interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}

/** What runs models of other programs, with its version. */
const FOREIGN: readonly (readonly [name: string, version: string])[] = [
  ...["core", "converter", "layers", "backend-cpu", "backend-wasm", "backend-webgpu"]
    .map((part) => [`@tensorflow/tfjs-${part}`, TENSORFLOW] as const),
  ["onnxruntime-web", ONNX],
];

/** `npm:name@version` or `npm:name@version/path` */
const PACKAGE = /^npm:((?:@[^/]+\/)?[^/@]+)@([^/]+)/;

/**
 * The content of `package.json`. What is imported stands there in the versions that were tested, rather than in the
 * code: a program has one zod, `npm audit` sees it, and its licence comes with it.
 *
 * @param imported what modules import from packages, by its name in `deno.json`
 */
export function manifest({ name, version, license, imports }: Configuration, imported: Iterable<string>): object {
  const dependencies = Array.from(imported, (specifier) => {
    const [, name, version] = PACKAGE.exec(imports[specifier] ?? "") ?? [];
    if (!version) throw new Error(`Cannot find the version of the package "${specifier}" in deno.json`);
    return [name, version];
  });
  const entry = (path: string) => ({ types: `./${path}.d.ts`, default: `./${path}.js` });
  const inDeno = entry("mod"), elsewhere = entry("tasks/npm/node");
  return {
    name,
    version,
    description: "Over-parameterised knowledge distillation (OPDF) on any GPU by WebGPU, or on the cpu by WebAssembly",
    keywords: ["knowledge-distillation", "model-compression", "tensor-decomposition", "webgpu", "wasm"],
    license,
    type: "module",
    engines: { node: ">=20.16", bun: ">=1.2", deno: ">=2.4" },
    exports: {
      ".": { deno: inDeno, default: elsewhere },
      "./core": entry("core/mod"),
      "./plugins": entry("plugins/mod"),
      "./package.json": "./package.json",
    },
    main: elsewhere.default,
    types: elsewhere.types,
    files: ["**/*.js", "**/*.d.ts"],
    // These two say which files are in use: a bundler would drop that of a file which is not named here.
    sideEffects: [inDeno.default, elsewhere.default],
    // Who uses such a model installs them; what is not named could not be imported from a package of its own folder.
    peerDependencies: Object.fromEntries(FOREIGN),
    peerDependenciesMeta: Object.fromEntries(FOREIGN.map(([name]) => [name, { optional: true }])),
    dependencies: Object.fromEntries(dependencies.sort()),
  };
}
