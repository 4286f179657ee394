import type { Campaign } from "./campaign.ts";
import { folderFuzz } from "./folder_fuzz.ts";
import { cifarFuzz, gzipBombs, idxFuzz } from "./image_fuzz.ts";
import { safetensorsFuzz, tensorsFuzz } from "./safetensors_fuzz.ts";
import { cacheFuzz, chainFuzz, checkpointFuzz, experimentFuzz, runFolderFuzz } from "./own_files_fuzz.ts";
import { conllFuzz, mailFuzz, tableFuzz } from "./text_fuzz.ts";
import { tfjsFuzz } from "./tfjs_fuzz.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [
  safetensorsFuzz,
  tensorsFuzz,
  idxFuzz,
  cifarFuzz,
  gzipBombs,
  tableFuzz,
  conllFuzz,
  mailFuzz,
  folderFuzz,
  tfjsFuzz,
  checkpointFuzz,
  chainFuzz,
  cacheFuzz,
  runFolderFuzz,
  experimentFuzz,
];
