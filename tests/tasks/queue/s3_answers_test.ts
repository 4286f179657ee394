import assert from "node:assert/strict";
import { storeAt } from "../../support/bucket.ts";

const HASTY = { patience: 300, firstPatience: 100, silence: 100 };

const PATIENT = { patience: 10_000, firstPatience: 10_000, silence: 100 };

type Answer = (request: Request) => Response | Promise<Response>;

/** Runs a body with a store whose server gives these answers, the last one again and again. */
async function withAnswers(
  answers: readonly Answer[],
  body: (store: ReturnType<typeof storeAt>, asked: Request[]) => Promise<void>,
  times = HASTY,
): Promise<void> {
  const asked: Request[] = [];
  const handler = async (request: Request) => {
    const answer = answers[Math.min(asked.push(request), answers.length) - 1];
    await request.body?.pipeTo(new WritableStream());
    return await answer(request);
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  try {
    await body(storeAt({ port: server.addr.port, times }), asked);
  } finally {
    await server.shutdown();
  }
}

const refused = (attempt: Promise<unknown>, message: RegExp) => assert.rejects(attempt, { name: "UserError", message });

const error = (status: number, code: string, headers: Record<string, string> = {}) => () =>
  new Response(`<Error><Code>${code}</Code><Message>No.</Message></Error>`, { status, headers });

Deno.test("what the server or the network fails is asked for again, and given up with the last reason", async () => {
  const failures = [error(503, "SlowDown"), error(500, "InternalError"), error(429, "TooManyRequests")];
  await withAnswers([...failures, () => new Response("content")], async (store, asked) => {
    assert.equal(new TextDecoder().decode((await store.read("x"))!), "content");
    assert.equal(asked.length, 4);
  }, PATIENT);
  await withAnswers([error(507, "InsufficientStorage")], async (store, asked) => {
    await refused(
      store.write("x", new Uint8Array(9)),
      /^Cannot write to the store s3:\/\/opdf-tests\/some\/prefix as 127\.0\.0\.1:\d+ answers 507: InsufficientStorage, No\.$/,
    );
    assert.ok(asked.length > 1);
  });
  // What is refused once is not asked for again.
  await withAnswers([error(403, "AccessDenied")], async (store, asked) => {
    await refused(
      store.write("x", new Uint8Array(9)),
      /answers 403: AccessDenied, the key must be allowed s3:GetObject, /,
    );
    assert.equal(asked.length, 1);
  });
});

Deno.test("an answer that falls silent is none, and is asked for again", async () => {
  const stops = () => new Response(new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode("con")) }));
  await withAnswers([stops, () => new Response("content")], async (store, asked) => {
    assert.equal(new TextDecoder().decode((await store.read("x"))!), "content");
    assert.equal(asked.length, 2);
  }, PATIENT);
  await withAnswers([stops], (store) => refused(store.read("x"), /as 127\.0\.0\.1:\d+ does not answer$/));
});

Deno.test("a machine whose clock is wrong is told so, and another region too", async () => {
  const at = (minutes: number) => ({ date: new Date(Date.now() + 60_000 * minutes).toUTCString() });
  const clock = (minutes: number, words: string) =>
    withAnswers(
      [error(403, "RequestTimeTooSkewed", at(minutes))],
      (store) =>
        refused(store.has("x"), new RegExp(`as this machine's clock is ${words} the store's, which takes signatures`)),
    );
  await clock(-180, "180 minutes ahead of");
  await clock(50, "50 minutes behind");
  await clock(1, "far from");
  await withAnswers(
    [error(403, "SignatureDoesNotMatch", at(16))],
    (store) => refused(store.read("x"), /16 minutes behind the store's/),
  );
  await withAnswers(
    [error(403, "SignatureDoesNotMatch", at(10))],
    (store) => refused(store.read("x"), /answers 403: SignatureDoesNotMatch, look at AWS_SECRET_ACCESS_KEY$/),
  );
  await withAnswers(
    [error(307, "TemporaryRedirect", { location: "http://127.0.0.1:9/" })],
    (store) => refused(store.read("x"), /answers 307: TemporaryRedirect, the bucket is elsewhere: look at AWS_REGION$/),
  );
});
