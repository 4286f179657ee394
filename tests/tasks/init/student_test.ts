import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { valueOf } from "../../../tasks/init/entries.ts";
import { halfOf } from "../../../tasks/init/student.ts";
import { nobody } from "../../../tasks/init/asking.ts";
import { lookAtTeacher } from "../../../tasks/init/teacher.ts";
import { type EncoderName, fixture, inputOf } from "../../plugins/models/bert_fixture.ts";

/** The lines of the student that init writes for half of a teacher. */
async function halfOfEncoder(name: EncoderName): Promise<Record<string, unknown>> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(fixture(`${name}.json`), join(folder, "config.json"));
    const half = halfOf(await lookAtTeacher(folder, {}, nobody), inputOf(name))!;
    return { ...valueOf(half.entries), chains: half.chainable };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const sizes = { use: "bert", layers: 1, width: 12, heads: 3, ffn: 20, positions: 9 };
const start = { from: "teacher", layers: "mapped" };

Deno.test("half of an ELECTRA has embeddings of its teacher's width, half of an MPNet nothing but its sizes", async () => {
  assert.deepEqual(await halfOfEncoder("electra"), {
    ...sizes,
    variant: "electra",
    embeddingWidth: 8,
    initialise: start,
    chains: "electra.encoder.layer.*.weight",
  });
  assert.deepEqual(await halfOfEncoder("mpnet"), {
    ...sizes,
    variant: "mpnet",
    epsilon: 1e-5,
    initialise: start,
    chains: "mpnet.encoder.layer.*.weight",
  });
});
