import assert from "node:assert/strict";
import * as library from "../mod.ts";
import { CpuBackend } from "../core/backend/cpu/cpu_backend.ts";

/** Functions that files of tensors have; what they say of wrong bytes is tested beside them. */
const OF_FILES = /afetensors|Checksum$|^to(BigInt64|Float32|Unsigned)$/;

/** Those that take anything, or nothing. */
const TAKE_ANYTHING = ["dataFile", "currentFiles"];

/** Those whose first argument has a default. */
const HAVE_DEFAULTS = ["scheduled", "memoryFiles"];

const called = Object.entries(library).filter(([name, value]) =>
  typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value)) && !OF_FILES.test(name) &&
  !TAKE_ANYTHING.includes(name)
) as [string, (...values: unknown[]) => unknown][];

/** What a call with these arguments says; `null` if it says nothing. */
async function refusal(call: (...values: unknown[]) => unknown, values: readonly unknown[]): Promise<Error | null> {
  try {
    const result = await call(...values);
    // checkPlugin begins with the first result that is asked for.
    if (result && typeof result === "object" && Symbol.asyncIterator in result) {
      for await (const _ of result as AsyncIterable<unknown>) break;
    }
    return null;
  } catch (error) {
    return error as Error;
  }
}

const RAW =
  /Cannot (read propert|destructure|convert undefined|set propert)|is not (a function|iterable|a constructor)|undefined \(reading|undefined x undefined|Reduce of empty/;

Deno.test("every public function names the argument that is of a wrong type, and what it takes", async () => {
  assert.ok(called.length > 30, `${called.length}`);
  for (const [name, call] of called) {
    for (const wrong of [undefined, null, Symbol("x"), true]) {
      if (wrong === undefined && HAVE_DEFAULTS.includes(name)) continue;
      const error = await refusal(call, [wrong, wrong, wrong, wrong]);
      const what = `${name}(${String(wrong)}): ${error?.message}`;
      assert.ok(error, what);
      assert.match(error.message, /^Cannot call (\w+(\.\w+)?): expected .* as its [\w.]+, got /, what);
    }
    for (const wrong of [{}, 5, "x", [], () => 1]) {
      const error = await refusal(call, [wrong, wrong, wrong, wrong]);
      assert.doesNotMatch(error?.message ?? "", RAW, `${name}(${typeof wrong})`);
    }
  }
});

Deno.test("methods of a model name the argument that is of a wrong type, and nothing is done with one disposed of", async () => {
  const backend = await CpuBackend.create();
  const model = await library.openModel("plugins/models/data/fashion-resnet20", { backend });
  const cases: [method: "predict" | "tag" | "outputs" | "batch", inputs: unknown, says: string][] = [
    ["predict", undefined, "expected a map as its inputs, got undefined"],
    ["predict", {}, "expected { images } or { texts } as its inputs, got an empty map"],
    ["predict", { image: 1 }, "expected { images } or { texts } as its inputs, got a map with image"],
    ["predict", { images: 5 }, "expected a list as its inputs.images, got 5"],
    ["predict", { texts: "one" }, 'expected a list as its inputs.texts, got "one"'],
    ["predict", { texts: [["a", 5]] }, 'expected texts, or pairs of them, as its inputs.texts, got ["a",5]'],
    ["tag", undefined, "expected a map as its inputs, got undefined"],
    ["tag", { words: ["one"] }, 'expected a list of lists as its inputs.words, got ["one"]'],
    ["outputs", undefined, "expected a map as its inputs, got undefined"],
    ["outputs", { x: 5 }, "expected { images } or { texts } or { words } as its inputs, got a map with x"],
    ["batch", null, "expected a map as its inputs, got null"],
  ];
  for (const [method, inputs, says] of cases) {
    const error = await refusal((value) => (model[method] as (value: unknown) => unknown)(value), [inputs]);
    const call = method === "outputs" && inputs ? "batch" : method;
    assert.equal(error?.message, `Cannot call ${call}: ${says}`);
  }
  for (const options of [{}, { backend: 5 }, { ops: {} }]) {
    const error = await refusal(library.openModel as (...values: unknown[]) => unknown, [
      "plugins/models/data/fashion-resnet20",
      options,
    ]);
    assert.match(error!.message, /^Cannot call openModel: expected (a backend|operations) .* as its options\./);
  }
  model[Symbol.dispose]();
  model[Symbol.dispose]();
  for (const use of [() => model.predict({ images: new Uint8Array(784) }), () => model.input, () => model.ops]) {
    assert.match((await refusal(use, []))!.message, /^Cannot use a model that was disposed of: open it anew$/);
  }
  assert.equal(backend.memory().storages, 0);
  await backend.close();
});
