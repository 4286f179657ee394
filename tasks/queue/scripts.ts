import { stringify } from "yaml";
import { folderName } from "../experiment/experiment.ts";
import { quoted } from "./quoted.ts";

/** A script that Slurm runs once for each job: `sbatch slurm.sh`, in the checkout. */
export function slurmScript(name: string, folder: string, count: number): string {
  return `#!/bin/sh
#SBATCH --job-name=opdf-${folderName(name)}
#SBATCH --array=1-${count}
#SBATCH --output=${folder.replaceAll("%", "%%")}/logs/%a.txt
# To be submitted from the checkout: sbatch ${quoted(`${folder}/slurm.sh`)}
# One task takes one run; cores, memory and accelerators are added here as the cluster has them.
exec "\${DENO:-deno}" task worker --job "$SLURM_ARRAY_TASK_ID" --dir ${quoted(folder)}
`;
}

/** An indexed job of Kubernetes; image and volume are the cluster's own. */
export function kubernetesJob(name: string, folder: string, count: number): string {
  const label = `opdf-${folderName(name)}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-").slice(0, 63)
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
            workingDir: "/opdf",
            command: ["sh", "-c"],
            args: [
              `exec deno task worker --job "$((JOB_COMPLETION_INDEX + 1))" --dir ${quoted(folder)}`,
            ],
            volumeMounts: [{ name: "jobs", mountPath: folder }],
          }],
          volumes: [{ name: "jobs", persistentVolumeClaim: { claimName: "CLAIM" } }],
        },
      },
    },
  };
  return "# IMAGE has Deno and this program in /opdf; CLAIM is a volume that holds the folder of jobs.\n" +
    stringify(job, { lineWidth: 120 });
}
