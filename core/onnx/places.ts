import { lookAt } from "../files.ts";
import { MODELS } from "../model_folder/describing_folder.ts";
import { join } from "../paths.ts";
import { PRECISIONS } from "./precisions.ts";

/** The ONNX file in a folder's `onnx/`, the most exact of several; `null` if there is none. */
export async function findExport(folder: string): Promise<string | null> {
  return await firstFile(exportsIn(folder));
}

/** The same, after a `model.onnx` in the folder itself. */
export async function findOnnx(folder: string): Promise<string | null> {
  return await firstFile([mainFile(folder), ...exportsIn(folder)]);
}

/** Where a folder has its ONNX model if it has nothing else. */
export const mainFile = (folder: string): string => join(folder, PRECISIONS.fp32.file);

const exportsIn = (folder: string) => Object.values(PRECISIONS).map(({ file }) => join(folder, MODELS, file));

async function firstFile(places: readonly string[]): Promise<string | null> {
  for (const place of places) {
    const found = await lookAt(place);
    if (found !== null && found.kind !== "folder") return place;
  }
  return null;
}
