import assert from "node:assert/strict";
import { type Campaign, runCampaign } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";
import { runDeno } from "../support/task.ts";

for (const campaign of campaigns.filter(({ quick }) => quick > 0)) {
  Deno.test({
    name: `${campaign.name}: ${campaign.quick} trials, each a result or a sentence`,
    ignore: (campaign.missing?.() ?? null) !== null,
    fn: async () => {
      if (campaign.alone) return await inOwnProcess(campaign);
      const { faults } = await runCampaign(campaign, 0, (done) => done === campaign.quick);
      assert.deepEqual(faults, []);
    },
  });
}

async function inOwnProcess({ name, quick }: Campaign): Promise<void> {
  const permissions = ["--no-prompt", "--allow-read", "--allow-write", "--allow-run", "--allow-net=127.0.0.1"];
  const trials = ["--only", name, "--seed", "0", "--trials", `${quick}`];
  const { code, stdout, stderr } = await runDeno(["run", ...permissions, "tests/faults/torture.ts", ...trials]);
  assert.equal(code, 0, stdout + stderr);
  assert.ok(stdout.includes(name), stdout);
}

Deno.test("a campaign counts its trials by how they ended, and frees what they share", async () => {
  let closed = 0;
  const campaign: Campaign = {
    name: "counted",
    quick: 0,
    trial(seed) {
      if (seed === 12) return Promise.reject(new Error("broken"));
      return Promise.resolve(seed % 2 === 0 ? "fine" : "refused");
    },
    close: () => Promise.resolve(void closed++),
  };
  const toll = { fine: 2, refused: 2, faults: [{ seed: 12, message: "broken" }] };
  assert.deepEqual(await runCampaign(campaign, 10, (done) => done === 5), toll);
  const stop = new AbortController();
  const after = () => stop.abort();
  const stopped = await runCampaign(campaign, 10, () => false, { after, signal: stop.signal });
  assert.deepEqual(stopped, { fine: 1, refused: 0, faults: [] });
  assert.equal(closed, 2);
});
