import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { firstImport, loadPluginUrl } from "../../../core/plugin/remote.ts";
import { sha256 } from "../../../core/sha256.ts";
import { withFileServer } from "../../support/file_server.ts";

const source = `import type { LossDefinition } from "@opdf/opdf";

// No import { x } from "y" here, and "import 'z'" is a text.
const loss: LossDefinition = {
  kind: "loss",
  name: "far",
  description: "From afar",
  options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(student.logits) }),
};
export default loss;
`;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const hex = await sha256(bytesOf(source));
const base64 = Uint8Array.fromHex(hex).toBase64();

Deno.test("a plug-in by URL is run if its hash is right, and then needs no network", () =>
  withFileServer({ "/loss.ts": () => new Response(source) }, async ({ url, requests }, cache) => {
    for (const digits of [hex, hex.toUpperCase(), base64]) {
      const plugin = { url: url("/loss.ts"), integrity: `sha256-${digits}`, allowed: true };
      assert.equal((await loadPluginUrl("loss", plugin, { cache })).name, "far");
    }
    assert.deepEqual(requests, ["/loss.ts"], "the second time it comes from the cache");
  }));

Deno.test("a plug-in by URL is refused in one sentence for whatever is missing or wrong", () =>
  withFileServer({
    "/loss.ts": () => new Response(source),
    "/imports.ts": () => new Response(`import { x } from "npm:x";\n${source}`),
    "/long.ts": () => new Response(new Uint8Array(2 ** 20 + 1)),
  }, async ({ url, requests }, cache) => {
    const refused = async (path: string, how: { integrity?: string | null; allowed?: boolean }, message: RegExp) => {
      const { integrity = `sha256-${hex}`, allowed = true } = how;
      const address = path.startsWith("/") ? url(path) : path;
      await assert.rejects(loadPluginUrl("loss", { url: address, integrity, allowed }, { cache }), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.match(error.message, message);
        return !error.message.includes("\n");
      });
    };
    await refused(
      "/loss.ts",
      { allowed: false },
      /: it is code from the network, which runs only with --allow-plugin-url$/,
    );
    await refused(
      "/loss.ts",
      { integrity: null },
      /: integrity is missing: write "integrity: sha256-" and what "sha256sum/,
    );
    await refused("/loss.ts", { integrity: "sha1-x" }, /: expected sha256- and 64 hexadecimal digits .* got "sha1-x"$/);
    await refused("http://example.org/loss.ts", {}, /: expected an address that begins with https:\/\/$/);
    await refused("ftp://example.org/loss.ts", {}, /: expected an address that begins with https:\/\/$/);
    assert.deepEqual(requests, [], "none of these asked the network");
    await refused(
      "/loss.ts",
      { integrity: `sha256-${"0".repeat(64)}` },
      /are not what was expected .* expected 0{64}$/,
    );
    await refused(
      "/none.ts",
      {},
      /^Cannot download ".*\/none\.ts" as the server answers 404 Not Found: check the address$/,
    );
    await refused("/long.ts", {}, /^Cannot download ".*\/long\.ts" as it is larger than 1 MiB/);
    const imports = await sha256(bytesOf(`import { x } from "npm:x";\n${source}`));
    await refused(
      "/imports.ts",
      { integrity: `sha256-${imports}` },
      /: it has "import \{ x \} from", and must be one file without imports \(other than import type\)$/,
    );
    await refused("http://127.0.0.1:1/loss.ts", {}, /^Cannot download ".*" as the network fails: /);
  }));

Deno.test("imports are found in all their forms, and not in comments, texts and types", () => {
  const found: Record<string, string> = {
    'import x from "y";': "import x from",
    'import "y";': "import",
    'import\n  { a,\n b } from "y"': "import { a, b } from",
    'export * from "y"': "export * from",
    'export { a } from "y"': "export { a } from",
    'const y = await import("y");': "import(",
    '/* a */import x from "y";': "import x from",
    '"use strict"; import x from "y"': "import x from",
  };
  for (const [text, expected] of Object.entries(found)) assert.ok(firstImport(text)?.startsWith(expected), text);
  const none = [
    'import type { A } from "y";',
    '// import x from "y"',
    '/* import x from "y" */',
    'const a = "import b from c";',
    "const a = { b: 1 }; export { a }; const from = 2;",
    "x.import(1); import.meta.url;",
    "const important = 1; export default important;",
  ];
  for (const text of none) assert.equal(firstImport(text), null, text);
});
