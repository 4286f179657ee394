import type { SuiteRun } from "./browsers.ts";
import type { Outcome } from "./outcome.ts";
import { serve } from "./serve.ts";

/** Milliseconds after which a test that has said nothing is given up. */
const PATIENCE = 300_000;

/** Runs the suite in a worker, and tells the server what that says, one after another. */
const PAGE = `<!doctype html><title>Tests</title><script>
let told = Promise.resolve();
const tell = (news) => told = told.then(() => fetch("/tell", { method: "POST", body: JSON.stringify(news) }));
const worker = new Worker("/suite.js" + location.search, { type: "module" });
worker.onerror = ({ message }) => tell(message || "the module could not be loaded");
worker.onmessage = ({ data }) => tell(data);
</script>`;

/**
 * Runs the suite until it ends or a test has taken too long.
 *
 * @param suite the file of the bundle
 * @param visit opens the page of an address
 */
export async function suiteOutcomes(
  { args, isolated }: SuiteRun,
  suite: string,
  visit: (address: string) => Promise<AsyncDisposable>,
): Promise<Outcome[]> {
  const told: Outcome[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<string | null>();
  const last = () => told.at(-1)?.name ?? "the beginning";
  let patience: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(patience);
    patience = setTimeout(() => end(`nothing was heard for ${PATIENCE / 1000} s after "${last()}"`), PATIENCE);
  };
  await using served = serve({
    "/": () => Promise.resolve(PAGE),
    "/suite.js": () => Deno.readFile(suite),
    "/tell": async (request) => {
      const news: Outcome | string | null = await request.json();
      wait();
      if (news === null || typeof news === "string") end(news);
      else told.push(news);
      return "";
    },
  }, isolated);
  const query = new URLSearchParams(args.map((arg) => ["arg", arg]));
  wait();
  await using _page = await visit(`${served.address}/?${query}`);
  const broken = await ended;
  clearTimeout(patience);
  if (broken !== null) told.push({ name: "the suite", status: "failed", message: broken, milliseconds: 0 });
  return told;
}
