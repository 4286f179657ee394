/** The kernels of real networks as one line of JSON: `deno run tasks/bench/kernels/run.ts`. */
import { measureKernels } from "./report.ts";

console.log(JSON.stringify(await measureKernels(console.error)));
Deno.exit(0);
