import type { Campaign } from "./campaign.ts";
import { fullDisk, fullOutput, limitedFiles } from "./disks.ts";
import { busyMachine, closedPipe, editedBetween, hurtFolder, signalled, twoProcesses } from "./moments.ts";
import { oddNames } from "./names.ts";
import { killedAtACall, killedAtAMoment, killedAtASystemCall } from "./kills.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [
  killedAtAMoment,
  killedAtACall,
  killedAtASystemCall,
  fullDisk,
  limitedFiles,
  fullOutput,
  hurtFolder,
  editedBetween,
  twoProcesses,
  signalled,
  closedPipe,
  oddNames,
  busyMachine,
];
