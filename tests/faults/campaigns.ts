import type { Campaign } from "./campaign.ts";
import { fullDisk, fullOutput, limitedFiles } from "./disks.ts";
import { busyMachine, closedPipe, editedBetween, hurtFolder, signalled, twoProcesses } from "./moments.ts";
import { oddNames } from "./names.ts";
import { killedAtACall, killedAtAMoment, killedAtASystemCall } from "./kills.ts";
import { f16 } from "./f16_campaign.ts";
import { losses } from "./losses_campaign.ts";
import { kinds } from "./kinds_campaign.ts";
import { certified } from "./certified_campaign.ts";
import { numerics } from "./numerics_campaign.ts";
import { pruning } from "./pruning_campaign.ts";
import { recipeFuzz } from "./recipe_fuzz.ts";
import { fullStore } from "./full_store_campaign.ts";
import { killedWorkers } from "./queue_campaign.ts";
import { cutConnections } from "./connections_campaign.ts";
import { soak } from "./soak_campaign.ts";
import { folderFuzz } from "./folder_fuzz.ts";
import { httpFuzz } from "./http_fuzz.ts";
import { pictureFuzz } from "./picture_fuzz.ts";
import { cifarFuzz, gzipBombs, idxFuzz } from "./image_fuzz.ts";
import { outputsFuzz } from "./outputs_fuzz.ts";
import { safetensorsFuzz, tensorsFuzz } from "./safetensors_fuzz.ts";
import { cacheFuzz, chainFuzz, checkpointFuzz, experimentFuzz, runFolderFuzz } from "./own_files_fuzz.ts";
import { conllFuzz, mailFuzz, tableFuzz } from "./text_fuzz.ts";
import { onnxFuzz } from "./onnx_fuzz.ts";
import { onnxExportFuzz } from "./onnx_export_fuzz.ts";
import { tfjsFuzz } from "./tfjs_fuzz.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [
  safetensorsFuzz,
  tensorsFuzz,
  idxFuzz,
  cifarFuzz,
  gzipBombs,
  pictureFuzz,
  tableFuzz,
  conllFuzz,
  mailFuzz,
  outputsFuzz,
  folderFuzz,
  httpFuzz,
  tfjsFuzz,
  onnxFuzz,
  onnxExportFuzz,
  checkpointFuzz,
  chainFuzz,
  cacheFuzz,
  runFolderFuzz,
  experimentFuzz,
  killedAtAMoment,
  killedAtACall,
  killedAtASystemCall,
  fullDisk,
  limitedFiles,
  fullOutput,
  hurtFolder,
  editedBetween,
  twoProcesses,
  killedWorkers,
  cutConnections,
  fullStore,
  signalled,
  closedPipe,
  oddNames,
  busyMachine,
  recipeFuzz,
  losses,
  pruning,
  kinds,
  numerics,
  certified,
  f16,
  soak,
];
