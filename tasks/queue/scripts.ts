import { resolve } from "node:path/posix";
import { stringify } from "yaml";
import { folderName } from "../experiment/experiment.ts";
import { quoted } from "./quoted.ts";

/** Where a container has this program, and where its worker looks for a relative folder. */
const WORKING_FOLDER = "/opdf";

/** Numbers in order as Slurm and people write them: `1-3,7`. */
export function inRanges(numbers: readonly number[]): string {
  const all = new Set(numbers);
  const begins = numbers.filter((number) => !all.has(number - 1));
  return begins.map((begin) => {
    let end = begin;
    while (all.has(end + 1)) end++;
    return begin === end ? `${begin}` : `${begin}-${end}`;
  }).join(",");
}

/**
 * A script that Slurm runs once for each job: `sbatch slurm.sh`, in the checkout.
 *
 * @param numbers the jobs', in order
 */
export function slurmScript(name: string, folder: string, numbers: readonly number[]): string {
  return `#!/bin/sh
#SBATCH --job-name=opdf-${folderName(name)}
#SBATCH --array=${inRanges(numbers)}
#SBATCH --output=${folder.replaceAll("%", "%%")}/logs/%a.txt
# To be submitted from the checkout: sbatch ${quoted(`${folder}/slurm.sh`)}
# One task takes one run; cores, memory and accelerators are added here as the cluster has them.
exec "\${DENO:-deno}" task worker --job "$SLURM_ARRAY_TASK_ID" --dir ${quoted(folder)}
`;
}

/** An indexed job of Kubernetes; image and volume are the cluster's own. */
export function kubernetesJob(name: string, folder: string, numbers: readonly number[]): string {
  const [first] = numbers, count = numbers.length;
  // A further one stands beside the first.
  const own = first === 1 ? "" : `${first}-`;
  const label = `opdf-${own}${folderName(name)}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-").slice(0, 63)
    .replace(/-+$/, "");
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: label },
    spec: {
      completionMode: "Indexed",
      completions: count,
      parallelism: count,
      backoffLimitPerIndex: 2,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{
            name: "worker",
            image: "IMAGE",
            workingDir: WORKING_FOLDER,
            command: ["sh", "-c"],
            args: [`${jobNumber(numbers)}exec deno task worker --job "$1" --dir ${quoted(folder)}`],
            volumeMounts: [{ name: "jobs", mountPath: resolve(WORKING_FOLDER, folder) }],
          }],
          volumes: [{ name: "jobs", persistentVolumeClaim: { claimName: "CLAIM" } }],
        },
      },
    },
  };
  return `# IMAGE has Deno and this program in ${WORKING_FOLDER}; CLAIM is a volume that holds the folder of jobs.\n` +
    stringify(job, { lineWidth: 120 });
}

/** Shell commands after which `$1` is a job's number, where it is known by its place among them. */
function jobNumber(numbers: readonly number[]): string {
  const [first] = numbers;
  return numbers.at(-1)! - first + 1 === numbers.length
    ? `set -- "$((JOB_COMPLETION_INDEX + ${first}))"; `
    : `set -- ${numbers.join(" ")}; shift "$JOB_COMPLETION_INDEX"; `;
}
