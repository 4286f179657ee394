import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import type { Computed } from "../../../tasks/predict/answers.ts";
import type { Predictor, Prepared, Takes } from "../../../tasks/predict/predictor.ts";
import { Answering, type AnsweringOptions } from "../../../tasks/serve/answering.ts";

/** A model whose logits are 0 and log 3, and which answers when it is let. */
function model(takes: Takes, until: () => Promise<void> = () => Promise.resolve()): Predictor {
  const made: Pick<Predictor, "architecture" | "input" | "takes" | "prepare" | "run"> = {
    architecture: "made-up",
    input: { task: "classification", classes: ["no", "yes"], image: null, text: null },
    takes,
    prepare(input, place) {
      if ("text" in input && input.text === "broken") throw new Error("a mistake of ours");
      if ("picture" in input && input.picture.length < 3) throw new UserError(`Cannot use ${place} as it is cut`);
      return Promise.resolve(input as unknown as Prepared);
    },
    async run(inputs): Promise<Computed[]> {
      await until();
      return inputs.map(() => ({ logits: Float32Array.of(0, Math.log(3)), cut: false }));
    },
  };
  return made as Predictor;
}

function answering(predictor: Predictor, options: Partial<AnsweringOptions> = {}): Answering {
  return new Answering(predictor, {
    backend: { name: "cpu", memory: () => ({ bytes: 5 }) as ReturnType<AnsweringOptions["backend"]["memory"]> },
    folder: "some/folder",
    body: { mostBytes: 100, seconds: 10 },
    queue: 4,
    batchSize: 2,
    answers: { top: 1, threshold: 0.5 },
    broken: () => {},
    report: () => {},
    ...options,
  });
}

const url = (path: string) => `http://127.0.0.1:1${path}`;
const JSON_TYPE = { "content-type": "application/json" };

const post = (body: BodyInit | null, headers: Record<string, string> = JSON_TYPE) =>
  new Request(url("/predict"), { method: "POST", body, headers });

async function answer(own: Answering, request: Request): Promise<[status: number, body: unknown, headers: Headers]> {
  const response = await own.answer(request);
  assert.equal(response.headers.get("content-type"), "application/json");
  return [response.status, await response.json(), response.headers];
}

const yes = { label: "yes", probability: 0.75 };
const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (_, own) => typeof own === "number" ? Number(own.toFixed(6)) : own);

Deno.test("texts, pairs and pictures are answered, and health says what happened", async () => {
  const texts = answering(model("texts"));
  const [status, body] = await answer(texts, post('{"inputs": ["a", {"text": "b", "pair": "c"}, {"text": "d"}]}'));
  const one = { ...yes, top: [yes] };
  assert.deepEqual([status, rounded(body)], [200, { task: "classification", answers: [one, one, one] }]);
  const both = { ...yes, top: [yes, { label: "no", probability: 0.25 }] };
  const [, more] = await answer(texts, post('{"inputs": "a", "top": 2}'));
  assert.deepEqual(rounded(more), { task: "classification", answers: [both] });
  await answer(texts, post("{"));
  await answer(texts, post('{"inputs": "broken"}'));
  assert.deepEqual(await answer(texts, new Request(url("/health"))).then(([status, body]) => [status, body]), [200, {
    status: "ok",
    model: "some/folder",
    architecture: "made-up",
    task: "classification",
    takes: "texts",
    classes: ["no", "yes"],
    backend: "cpu",
    present: 0,
    waiting: 0,
    answered: 2,
    refused: 1,
    failed: 1,
    batches: 3,
    deviceBytes: 5,
  }]);
  const pictures = answering(model("pictures"));
  const sent = [
    post(new Uint8Array(3), { "content-type": "image/png" }),
    post(new Uint8Array(3), { "content-type": "application/octet-stream" }),
    post('{"inputs": "AAAA"}', { "content-type": "Application/JSON; charset=utf-8" }),
  ];
  for (const request of sent) {
    const [status, body] = await answer(pictures, request);
    assert.deepEqual([status, rounded(body)], [200, { task: "classification", answers: [one] }]);
  }
  const words = answering(model("words"));
  assert.equal((await answer(words, post('{"inputs": [{"words": ["a"]}, "b"]}')))[0], 200);
});

/** Requests that are wrong, and what is said. */
const WRONG: readonly (readonly [Takes, Request, status: number, says: string | RegExp])[] = [
  ["texts", new Request(url("/")), 404, 'Unknown path "/": expected POST /predict or GET /health'],
  ["texts", new Request(url("/predict")), 405, "Cannot answer GET /predict: expected POST"],
  ["texts", new Request(url("/health"), { method: "POST" }), 405, "Cannot answer POST /health: expected GET"],
  ["texts", new Request("http://elsewhere.example/health"), 421, /^Cannot answer for the host "elsewhere\.example": /],
  [
    "texts",
    post("a", { "content-type": "text/plain" }),
    415,
    'Cannot read a body of the type "text/plain": expected application/json as content-type',
  ],
  [
    "texts",
    post(new Uint8Array(1), {}),
    415,
    'Cannot read a body of the type "": expected application/json as content-type',
  ],
  [
    "texts",
    post(new Uint8Array(9), { "content-type": "image/png" }),
    415,
    /^Cannot read a body of the type "image\/png"/,
  ],
  [
    "texts",
    post("{}", { ...JSON_TYPE, "content-encoding": "gzip" }),
    415,
    'Cannot read a body in the encoding "gzip": expected none',
  ],
  ["texts", post(null), 400, "Cannot read the body as it is no JSON: it is empty"],
  ["texts", post('{"inputs": "a",\n}'), 400, "Cannot read the body as it is no JSON: its line 2, column 1 is wrong"],
  ["texts", post(Uint8Array.of(0x22, 0xff, 0x22)), 400, "Cannot read the body as it is not UTF-8 text"],
  [
    "texts",
    post('{"inputs": "a", "inputs": "b"}'),
    400,
    'Cannot read the body as it has the key "inputs" twice in one object',
  ],
  ["texts", post('"a"'), 400, 'Cannot read the body: expected a JSON object with inputs, got "a"'],
  ["texts", post('{"input": "a"}'), 400, 'Unknown key "input" in the body: did you mean "inputs"?'],
  ["texts", post("{}"), 400, /^Cannot predict without inputs: expected a text, or a list of texts and of pairs /],
  ["texts", post('{"inputs": []}'), 400, "Cannot predict without inputs: the list is empty"],
  ["texts", post('{"inputs": ["a", 5]}'), 400, /^Cannot use inputs\[1\], 5: expected a text, or a list of texts and /],
  ["texts", post('{"inputs": [["a", "b"]]}'), 400, /^Cannot use inputs\[0\], \["a","b"\]: expected a text, /],
  [
    "texts",
    post('{"inputs": {"text": "a", "pair": 1}}'),
    400,
    /^Cannot use inputs, \{"text":"a","pair":1\}: expected /,
  ],
  ["texts", post('{"inputs": {"words": ["a"]}}'), 400, /^Cannot use inputs, \{"words":\["a"\]\}: expected a text, /],
  [
    "words",
    post('{"inputs": {"text": "a"}}'),
    400,
    /^Cannot use inputs, .*: expected a text, or a list of texts and of sent/,
  ],
  ["texts", post('{"inputs": "a", "top": 0.5}'), 400, "Cannot use 0.5 as top: expected a whole number from 1"],
  [
    "texts",
    post('{"inputs": "a", "threshold": 1}'),
    400,
    "Cannot use 1 as threshold: expected a number between 0 and 1",
  ],
  [
    "texts",
    post('{"inputs": ["a", "a", "a", "a", "a"]}'),
    413,
    "Cannot take 5 inputs at once: at most 4 are taken (--queue)",
  ],
  [
    "texts",
    post(`{"inputs": "${"a".repeat(100)}"}`),
    413,
    "Cannot take the body: it has more than 100 bytes, which --max-body allows",
  ],
  ["texts", post("a".repeat(1000)), 413, "Cannot take the body: it has more than 100 bytes, which --max-body allows"],
  ["texts", post('{"inputs": "broken"}'), 500, "Internal error: a mistake of ours"],
  ["pictures", post(new Uint8Array(2), { "content-type": "image/png" }), 400, "Cannot use the picture as it is cut"],
  ["pictures", post(null, { "content-type": "image/png" }), 400, "Cannot read the picture as the body is empty"],
  [
    "pictures",
    post("a", { "content-type": "text/plain" }),
    415,
    /: expected application\/json, image\/\* or application\/octet-stream as /,
  ],
  ["pictures", post('{"inputs": "%"}'), 400, 'Cannot use inputs, "%", as a picture: it is no base64'],
  [
    "pictures",
    post('{"inputs": [{"text": "a"}]}'),
    400,
    /^Cannot use inputs\[0\], .*: expected the file of a picture in base64/,
  ],
];

Deno.test("what is wrong with a request is said in a sentence", async () => {
  for (const [takes, request, expected, says] of WRONG) {
    const [status, body] = await answer(answering(model(takes)), request);
    const { error, ...rest } = body as { error: string };
    assert.deepEqual([status, rest], [expected, {}], error);
    if (typeof says === "string") assert.equal(error, says);
    else assert.match(error, says);
  }
  const sized = (bytes: number) => post(`{"inputs": "a"}`.padEnd(bytes));
  const statuses = [];
  for (const bytes of [100, 101]) statuses.push((await answer(answering(model("texts")), sized(bytes)))[0]);
  assert.deepEqual(statuses, [200, 413]);
  // Requests of this kind cannot be made here, but on a connection.
  const odd = { url: "http://127.0.0.st: 127.0.0.1/predict", method: "POST" } as Request;
  assert.deepEqual((await answer(answering(model("texts")), odd)).slice(0, 2), [
    400,
    { error: 'Cannot read the address "http://127.0.0.st: 127.0.0.1/predict"' },
  ]);
  const [, , headers] = await answer(
    answering(model("texts")),
    new Request(url("/predict"), { method: "PUT", body: "x" }),
  );
  assert.equal(headers.get("allow"), "POST");
});

Deno.test("of more requests than may wait the last are told to come again, and the others are answered", async () => {
  const gate = Promise.withResolvers<void>();
  const own = answering(model("texts", () => gate.promise));
  const sent = Array.from({ length: 7 }, () => answer(own, post('{"inputs": "a"}')));
  const [status, body, headers] = await sent[6];
  assert.deepEqual(
    [status, body, headers.get("retry-after")],
    [503, { error: "Cannot take more now: 4 inputs may wait, and as many do; try again later" }, "1"],
  );
  assert.equal((await answer(own, new Request(url("/health"))))[0], 200);
  gate.resolve();
  assert.deepEqual((await Promise.all(sent)).map(([status]) => status), [200, 200, 200, 200, 503, 503, 503]);
  // They have left: there is room again.
  assert.equal((await answer(own, post('{"inputs": ["a", "a", "a", "a"]}')))[0], 200);
});

Deno.test("an end waits for the requests that are there, also for one whose body is on its way, and lets no more in", async () => {
  const own = answering(model("texts"));
  let rest: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (rest = controller) });
  const sent = answer(own, post(body));
  rest!.enqueue(new TextEncoder().encode('{"inputs"'));
  let over = false;
  const end = own.end().then(() => over = true);
  assert.deepEqual((await answer(own, post('{"inputs": "a"}'))).slice(0, 2), [
    503,
    { error: "Cannot take more as the program is ending" },
  ]);
  assert.equal(over, false);
  rest!.enqueue(new TextEncoder().encode(': "a"}'));
  rest!.close();
  assert.equal((await sent)[0], 200);
  await end;
  await answering(model("texts")).end();
});

Deno.test("inputs of few requests fill the line as well", async () => {
  const gate = Promise.withResolvers<void>();
  const own = answering(model("texts", () => gate.promise));
  const first = answer(own, post('{"inputs": ["a", "a", "a", "a"]}'));
  // Two of them are being computed, and two wait.
  while (((await answer(own, new Request(url("/health"))))[1] as { waiting: number }).waiting !== 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal((await answer(own, post('{"inputs": ["a", "a", "a"]}')))[0], 503);
  const second = answer(own, post('{"inputs": ["a", "a"]}'));
  gate.resolve();
  assert.deepEqual([(await first)[0], (await second)[0]], [200, 200]);
});

Deno.test("a body that does not end is given up, and one that breaks off harms nobody", async () => {
  const own = answering(model("texts"), { body: { mostBytes: 100, seconds: 0.02 } });
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const [status, body] = await answer(own, post(endless));
  assert.deepEqual(
    [status, body],
    [408, { error: "Cannot wait for the body any longer: it has not ended after 0.02 seconds" }],
  );
  const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError("gone")) });
  assert.deepEqual((await answer(own, post(broken))).slice(0, 2), [
    400,
    { error: "Cannot read the body as it breaks off" },
  ]);
  assert.equal((await answer(own, post('{"inputs": "a"}')))[0], 200);
});
