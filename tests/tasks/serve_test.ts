import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { answerOf } from "../../tasks/predict/answers.ts";
import { Predictor } from "../../tasks/predict/predictor.ts";
import { startServe } from "../support/served.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runTask } from "../support/task.ts";

const MODEL = join(CHECKOUT, "plugins/models/data/mail-bert4");

const TEXTS = Array.from({ length: 8 }, (_, index) => `free money ${"meet me at noon ".repeat(index)}`);

/** What `predict` answers to each text alone. */
async function predicted(): Promise<unknown[]> {
  const backend = await CpuBackend.create();
  const answers: unknown[] = [];
  {
    using predictor = await Predictor.open(MODEL, { backend, background: null, report: () => {} });
    for (const text of TEXTS) {
      const [computed] = await predictor.run([await predictor.prepare({ text, pair: null }, "it")]);
      answers.push(answerOf(predictor.input, computed, { top: 3, threshold: 0.5 }));
    }
  }
  await backend.close();
  return answers;
}

/** Numbers to the digits that batches of other sizes leave alone. */
const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (_, own) => typeof own === "number" ? own.toFixed(5) : own);

const ask = (address: string, inputs: unknown) =>
  fetch(`${address}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ inputs }),
  });

Deno.test("many clients at once get what predict answers, the device keeps nothing, and SIGTERM loses none", async () => {
  const expected = rounded(await predicted());
  const server = await startServe([MODEL]);
  let end: Awaited<ReturnType<typeof server.end>>;
  try {
    const health = async () => await (await fetch(`${server.address}/health`)).json();
    const { deviceBytes } = await health();
    let answered = 0;
    const clients = Array.from({ length: 16 }, async (_, client) => {
      for (let round = 0; round < 4; round++) {
        const index = (client + 5 * round) % TEXTS.length;
        const response = await ask(server.address, TEXTS[index]);
        assert.equal(response.status, 200);
        assert.deepEqual(rounded((await response.json()).answers), [expected[index]]);
        answered++;
      }
    });
    await Promise.all(clients);
    const after = await health();
    assert.deepEqual([answered, after.answered, after.deviceBytes], [64, 64, deviceBytes]);
    assert.ok(after.batches < 64, "what waits is computed together");

    // Half of a body is on its way.
    const half = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.address).port) });
    const send = (text: string) => half.write(new TextEncoder().encode(text));
    const head = "POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: close\r\n";
    await send(`${head}content-length: 15\r\n\r\n{"inputs`);
    const until = async (isSo: (told: { present: number; answered: number }) => boolean) => {
      while (!isSo(await health())) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(({ present }) => present === 1);
    const last = Array.from({ length: 8 }, () => ask(server.address, TEXTS));
    await until(({ present, answered }) => present > 1 || answered > 64);
    const ending = server.end("SIGTERM");
    for (const response of await Promise.all(last)) {
      if (response.status !== 503) assert.deepEqual(rounded((await response.json()).answers), expected);
      else await response.body?.cancel();
    }
    await send('": "a"}');
    assert.match(await new Response(half.readable).text(), /^HTTP\/1\.1 200 /);
    end = await ending;
  } catch (error) {
    await server.end("SIGKILL").catch(() => {});
    throw error;
  }
  assert.deepEqual(end, {
    code: 0,
    stderr: "ending as soon as all requests are answered; Ctrl-C again ends at once\n",
  });
});

Deno.test("serve refuses a port that is none or that another program has, and a folder without a model", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const [none, other, empty] = await Promise.all([
    runHere("serve", [MODEL, "--port", "70000"]),
    // The task native, which is for all verbs, may listen as well.
    runTask("native", ["serve", MODEL, "--port", `${port}`, "--backend", "cpu"]),
    runHere("serve", ["tests"]),
  ]);
  assert.deepEqual([none.code, none.stderr], [2, "--port 70000: Expected a whole number from 0 to 65535\n"]);
  assert.deepEqual([other.code, other.stderr], [
    2,
    `Cannot serve on port ${port} as another program has it: name one with --port, or 0 for any\n`,
  ]);
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /^Cannot serve "tests" as it is no model folder: /);
});
