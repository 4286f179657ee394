import assert from "node:assert/strict";
import { runCampaign } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";

for (const campaign of campaigns) {
  Deno.test(`${campaign.name}: ${campaign.quick} trials, each a result or a sentence`, async () => {
    const { faults } = await runCampaign(campaign, 0, (done) => done === campaign.quick);
    assert.deepEqual(faults, []);
  });
}
