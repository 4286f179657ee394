import { join } from "node:path";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";

/** The tiny recipe in nine steps, each of which is logged. */
export const short = tinyRecipe.replace("epochs: 5, batchSize: 16", "epochs: 3, batchSize: 24").replace(
  "logEvery: 5",
  "logEvery: 1",
);

/** Reads a file of JSON. */
export const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));
/** A signal that does not fire. */
export const never = new AbortController().signal;

/** Runs `body` where there are the tiny data and recipe, with a backend. */
export const withTiny = (body: (folder: string, file: string, backend: CpuBackend) => Promise<void>) =>
  withTinyData(async (folder) => {
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, short);
    const backend = await CpuBackend.create();
    await body(folder, file, backend).finally(() => backend.close());
  });
