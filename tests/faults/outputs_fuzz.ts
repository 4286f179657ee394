import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { joinOutputs } from "../../core/distill/teacher/join_outputs.ts";
import { recordedOutputs } from "../../plugins/models/outputs/outputs.ts";
import { textData } from "../support/inputs.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { changedJson, changedText, oneOf } from "./mutations.ts";

const CLASSES = ["a", "b", "c"];
const ROWS = [[0.5, 0.25, 0.25], [0, 1, 0], [0.1, 0.2, 0.7], [0.9, 0.05, 0.05]];
const IDS = ROWS.map((_, row) => `k${row}`);

/** The same outputs in each form. */
const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n") + "\n";
const FORMS: Readonly<Record<string, string>> = {
  "list.jsonl": lines(ROWS.map((probabilities, row) => ({ id: IDS[row], probabilities }))),
  "map.jsonl": lines(
    ROWS.map((row, index) => ({
      id: IDS[index],
      probabilities: Object.fromEntries(row.map((p, c) => [CLASSES[c], p])),
    })),
  ),
  "columns.csv": [["id", ...CLASSES], ...ROWS.map((row, index) => [IDS[index], ...row])].join("\n") + "\n",
};

function hurt(name: string, random: Random): Uint8Array<ArrayBuffer> {
  const text = FORMS[name];
  if (name.endsWith(".jsonl") && random.below(2) === 0) {
    const all = text.trim().split("\n");
    const line = random.below(all.length);
    const changed = JSON.stringify(changedJson(JSON.parse(all[line]), random)) ?? "";
    return new TextEncoder().encode(all.with(line, changed).join("\n"));
  }
  return changedText(text, random);
}

/** Files of a teacher's outputs with a change: distributions for each example, or a sentence. */
export const outputsFuzz: Campaign = {
  name: "broken outputs of teachers",
  quick: 60,
  async trial(seed) {
    const random = new Random(seed).split("outputs");
    const name = oneOf(random, Object.keys(FORMS));
    const bytes = hurt(name, random);
    const [key, rest] = [oneOf(random, ["row", "id"]), oneOf(random, ["refuse", "spread"])];
    const options = { file: name, key, rest, values: "probabilities", least: 1e-9 };
    return await answered(name, async () => {
      const own = recordedOutputs.options(optionKit).parse(options);
      const { train } = await recordedOutputs.record!(own, textData(CLASSES), {
        readFile: () => Promise.resolve(bytes),
        readTensors: () => Promise.reject(new Error("there are no tensors")),
      });
      const source = { file: "data.jsonl", records: ROWS.length, record: Uint32Array.of(0, 1, 2, 3), ids: IDS };
      const batch = () => ({});
      const joined = joinOutputs({ length: ROWS.length, labels: null, source, batch }, train, "training");
      assert.equal(new Set(joined).size, ROWS.length, "each example has a record of its own");
      for (const record of joined) {
        const row = train.logits.subarray(3 * record, 3 * record + 3);
        const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
        assert.ok(Math.abs(sum - 1) < 0.011, `the probabilities of record ${record} have the sum ${sum}`);
      }
    });
  },
};
