import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: "1000" },
    only: { type: "string", default: "" },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(`Expected --minutes above 0 and a whole --seed, not ${values.minutes} and ${values.seed}`);
  Deno.exit(2);
}
const chosen = campaigns.filter(({ name }) => name.includes(values.only));
let faulty = 0;
for (const campaign of chosen) {
  const end = performance.now() + minutes * 60_000 / chosen.length;
  const { fine, refused, faults } = await runCampaign(campaign, seed, () => performance.now() >= end);
  console.log(`${campaign.name}: ${fine} fine, ${refused} refused, ${faults.length} faults`);
  for (const fault of faults) console.log(`  seed ${fault.seed}: ${fault.message}`);
  faulty += faults.length;
}
Deno.exit(faulty === 0 ? 0 : 1);
