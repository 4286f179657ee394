import type { Outcome } from "./outcome.ts";

/** A registered test, as `Deno.test` takes it. */
interface Registered {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: (context: TestContext) => unknown;
}

interface TestContext {
  step(name: string, body: (context: TestContext) => unknown): Promise<boolean>;
}

const registered: Registered[] = [];

function test(first: string | Registered, second?: Registered["fn"]): void {
  registered.push(
    typeof first === "string" ? { name: first, fn: second! } : first,
  );
}

const context: TestContext = {
  async step(_name, body) {
    await body(context);
    return true;
  },
};

// What tests of the core ask of Deno; modules that follow in the bundle find it.
Object.assign(globalThis, {
  // Node.js's assertions ask for these.
  process: { env: {} },
  global: globalThis,
  Deno: {
    test,
    args: new URL(import.meta.url).searchParams.getAll("arg"),
    env: { get: (name: string) => name === "CI" ? "true" : undefined },
    build: { os: "browser" },
  },
});

/** Runs the tests one after another and tells the page how each ended. */
export async function runAll(tell: (outcome: Outcome) => void): Promise<void> {
  for (const { name, ignore = false, fn } of registered) {
    const begin = performance.now();
    let message: string | null = null;
    try {
      if (!ignore) await fn(context);
    } catch (error) {
      message = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
    }
    const status = ignore ? "ignored" : message === null ? "passed" : "failed";
    tell({ name, status, message, milliseconds: performance.now() - begin });
  }
}
