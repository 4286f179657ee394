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

/** A test that needs a file system is not one for a browser. */
class NeedsFiles extends Error {}

const noFiles = () => {
  throw new NeedsFiles();
};

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
    makeTempDir: noFiles,
    readTextFile: noFiles,
  },
});

/** Runs the tests one after another and tells the page how each ended. */
export async function runAll(tell: (outcome: Outcome) => void): Promise<void> {
  const { args } = (globalThis as unknown as { Deno: { args: readonly string[] } }).Deno;
  const isChosen = ({ name }: Registered) => {
    const onWebGpu = name.includes("(webgpu)");
    return !args.includes(onWebGpu ? "--only=cpu" : "--only=webgpu");
  };
  const chosen = registered.filter(isChosen);
  for (const { name, ignore = false, fn } of chosen) {
    const begin = performance.now();
    let message: string | null = null;
    let isLeftOut = ignore;
    try {
      if (!ignore) await fn(context);
    } catch (error) {
      isLeftOut = error instanceof NeedsFiles;
      message = error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
    }
    const status = isLeftOut ? "ignored" : message === null ? "passed" : "failed";
    tell({ name, status, message: isLeftOut ? null : message, milliseconds: performance.now() - begin });
  }
}
