import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Predictor } from "../../tasks/predict/predictor.ts";
import { Answering } from "../../tasks/serve/answering.ts";
import golden from "../golden/pictures.json" with { type: "json" };
import { goldenFile } from "../support/pictures.ts";
import { CHECKOUT } from "../support/task.ts";
import type { Campaign } from "./campaign.ts";
import { inNewFolder } from "./model_folders.ts";
import { changedBytes, changedJsonText, oneOf } from "./mutations.ts";

/** A model that answers over HTTP, and requests that it takes. */
interface Site {
  readonly address: string;
  /** What the device holds between requests. */
  readonly bytes: number;
  readonly good: readonly (() => readonly [body: Uint8Array<ArrayBuffer>, type: string])[];
  close(): Promise<void>;
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** What stands in requests where it should not. */
const ODD = [
  ...[0, 1, -1, 0.5, 1e9, 2 ** 53, "", " ", "\n", "a", "\ud800", "\u0000", "%%%", "AAAA", "é".repeat(300), null, true],
  ...[[], {}, ["a"], [["a", "b"]], { text: "a" }, { text: "a", pair: "b" }, { words: ["a"] }, { words: [] }],
];

const json = (value: unknown) => () => [encode(value), "application/json"] as const;

const TEXTS = [
  json({ inputs: "free money" }),
  json({ inputs: ["a", "b ".repeat(200), { text: "a", pair: "b" }], top: 1, threshold: 0.3 }),
];

const TAGS = [json({ inputs: "We hold these truths" }), json({ inputs: [{ words: ["We", "hold"] }, "so"], top: 2 })];

const PICTURES = golden.pictures.map(({ name }) => () => [goldenFile(name), "image/png"] as const);

/** By which pictures of any size are taken. */
const PROCESSOR = { size: { height: 28, width: 28 }, image_mean: [0.5], image_std: [0.5] };

/** A mistake of ours in the words of a refusal, beside what it quotes. */
const OWN_FAULT = /Internal error|undefined|\[object|NaN| at file:/;

async function open(model: string, good: Site["good"]): Promise<Site> {
  const backend = await CpuBackend.create({ threads: 1 });
  const folder = join(CHECKOUT, "plugins/models/data", model);
  const predictor = await inNewFolder(async (copy) => {
    for await (const { name } of Deno.readDir(folder)) await Deno.copyFile(join(folder, name), join(copy, name));
    await Deno.writeFile(join(copy, "preprocessor_config.json"), encode(PROCESSOR));
    return await Predictor.open(copy, { backend, background: "drop", report: () => {} });
  });
  const answering = new Answering(predictor, {
    ...{ backend, folder, queue: 32, batchSize: 8, answers: { top: 3, threshold: 0.5 } },
    body: { mostBytes: 2 ** 16, seconds: 5 },
    broken: (error) => {
      throw error;
    },
    report: (line) => failures.push(line),
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => answering.answer(request),
  );
  return {
    address: `http://127.0.0.1:${server.addr.port}`,
    bytes: backend.memory().bytes,
    good,
    async close() {
      await server.shutdown();
      predictor[Symbol.dispose]();
      await backend.close();
    },
  };
}

const MODELS: Readonly<Record<string, Site["good"]>> = {
  "mail-bert4": TEXTS,
  "phrases-bert": TAGS,
  "fashion-resnet20": PICTURES,
};

/** What the program said of requests that failed by a mistake of ours. */
const failures: string[] = [];

const sites = new Map<string, Promise<Site>>();

function siteOf(model: string): Promise<Site> {
  const site = sites.get(model) ?? open(model, MODELS[model]);
  sites.set(model, site);
  return site;
}

/** A body of JSON with other values, or any body with other bytes; now and then under another type. */
function hurt([body, type]: readonly [Uint8Array<ArrayBuffer>, string], random: Random) {
  const isJson = type === "application/json" && random.below(3) > 0;
  const hurt = isJson
    ? changedJsonText(JSON.parse(new TextDecoder().decode(body)), random, ODD)
    : changedBytes(body, random);
  const types = [
    type,
    type,
    type,
    "application/json",
    "image/webp",
    "application/octet-stream",
    "text/plain",
    "a/b;;=",
  ];
  return [Uint8Array.from(hurt), oneOf(random, types)] as const;
}

async function post(address: string, body: Uint8Array<ArrayBuffer>, type: string) {
  const response = await fetch(`${address}/predict`, { method: "POST", headers: { "content-type": type }, body });
  const text = await response.text();
  return { status: response.status, text, value: JSON.parse(text) as Record<string, unknown> };
}

/** Something else than a request, or the beginning of one, on a connection that is closed then. */
async function cutOff(address: string, random: Random): Promise<void> {
  const { hostname, port } = new URL(address);
  const head = `POST /predict HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`;
  const start = new TextEncoder().encode(`${head}content-length: 30\r\n\r\n{"inputs": "half of a t`);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(random.below(2) === 0 ? start : changedBytes(start, random)).catch(() => {});
}

/** Answers in which no number is none, as NaN would be. */
function expectAnswers(answers: unknown, text: string): void {
  assert.ok(Array.isArray(answers) && answers.length > 0, text);
  JSON.stringify(answers, (_, own) => own === null ? assert.fail(text) : own);
}

/** Requests with bodies that are hurt, some at once, beside one that is whole and is answered all the same. */
export const httpFuzz: Campaign = {
  name: "requests over HTTP",
  quick: 40,
  async trial(seed) {
    const random = new Random(seed);
    const model = oneOf(random, Object.keys(MODELS));
    const site = await siteOf(model);
    const bad = Array.from({ length: 1 + random.below(4) }, () => hurt(oneOf(random, site.good)(), random));
    if (random.below(4) === 0) await cutOff(site.address, random);
    const [whole, ...answers] = await Promise.all(
      [oneOf(random, site.good)(), ...bad].map(([body, type]) => post(site.address, body, type)),
    );
    assert.equal(whole.status, 200, whole.text);
    for (const { status, text, value } of answers) {
      assert.ok(status === 200 || status >= 400 && status < 500, `${model}: ${status} ${text}`);
      if (status === 200) expectAnswers(value.answers, text);
      else {
        assert.match(String(value.error), /^[A-Z].{10,700}$/su);
        assert.doesNotMatch(String(value.error).replaceAll(/"(?:[^"\\]|\\.)*"/g, ""), OWN_FAULT);
      }
    }
    const health = await (await fetch(`${site.address}/health`)).json();
    assert.deepEqual([health.status, failures.splice(0), health.deviceBytes], ["ok", [], site.bytes]);
    return answers[0].status === 200 ? "fine" : "refused";
  },
  async close() {
    for (const site of sites.values()) await (await site).close();
    sites.clear();
  },
};
