/** The adapter's ceilings as one line of JSON: `deno run tasks/bench/ceiling_run.ts`. */
import { measureCeiling } from "./ceiling.ts";

console.log(JSON.stringify(await measureCeiling()));
