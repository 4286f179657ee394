import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { loadPluginUrl } from "../../core/plugin/remote.ts";
import { sha256 } from "../../core/sha256.ts";
import { type FileServer, withFileServer } from "../support/file_server.ts";
import { lossThat } from "../support/hostile_plugin.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

const loss = lossThat("");
const bytesOf = (text: string) => new TextEncoder().encode(text);
const hashOf = (text: string) => sha256(bytesOf(text));
const redirect = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const endless = (content: Uint8Array<ArrayBuffer>, times = Infinity) =>
  new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      // After the last part it neither goes on nor ends.
      if (times-- > 0) controller.enqueue(content);
      else return new Promise(() => {});
    },
  });

const answers = {
  "/loss.js": () => new Response(loss),
  "/again.js": () => new Response(loss),
  "/other.js": () => new Response(loss + "// a newer version"),
  "/page.js": () => new Response("<!doctype html><title>Sign in</title>", { headers: { "content-type": "text/html" } }),
  "/latin.js": () => new Response(Uint8Array.of(...bytesOf("// caf"), 0xe9, ...bytesOf("\n" + loss))),
  "/wide.js": () => new Response(Uint8Array.from(loss, (_, i) => i % 2)),
  "/relative.js": () => new Response(`import "./other.js";\n${loss}`),
  "/https.js": () => new Response(`import x from "https://esm.sh/zod";\n${loss}`),
  "/npm.js": () => new Response(`const { z } = await import("npm:zod");\n${loss}`),
  "/empty.js": () => new Response(""),
  "/to-file": redirect("file:///etc/hostname"),
  "/to-data": redirect("data:text/javascript,export default 1"),
  "/to-host": redirect("http://example.org/loss.js"),
  "/to-itself": redirect("/to-itself"),
  "/to-nowhere": redirect("http://"),
  "/to-loss": redirect("/loss.js"),
  "/huge.js": () => new Response(endless(new Uint8Array(2 ** 16))),
  "/boasting.js": () => new Response(endless(new Uint8Array(1), 1), { headers: { "content-length": "1e12" } }),
  "/promising.js": () => new Response(endless(new Uint8Array(9), 1), { headers: { "content-length": `${2 ** 30}` } }),
  // Longer than the client's patience, but the server is to end some time.
  "/mute.js": () => new Promise<Response>((answer) => setTimeout(() => answer(new Response(loss)), 1000)),
  "/silent.js": () => new Response(endless(bytesOf("//"), 1)),
  "/dripping.js": () => new Response(endless(bytesOf("//"), 3)),
};

/** Tries addresses, each of which must end in one sentence, and leave nothing in the folder of downloads. */
async function refusedEach(
  { url }: FileServer,
  cache: string,
  expected: readonly (readonly [path: string, hash: string, message: RegExp])[],
): Promise<void> {
  const there = () => Array.from(Deno.readDirSync(cache), ({ name }) => name).sort();
  for (const [path, hash, message] of expected) {
    const before = there();
    const address = path.startsWith("/") ? url(path) : path;
    const plugin = { url: address, integrity: `sha256-${hash}`, allowed: true };
    await assert.rejects(loadPluginUrl("loss", plugin, { cache, patience: 300 }), (error: Error) => {
      assert.ok(error instanceof UserError, `${path}: ${error}`);
      assert.match(error.message, message, path);
      assert.ok(!error.message.includes("\n"), path);
      return true;
    });
    // What has the right hash may stay: it is what was asked for.
    assert.deepEqual(there().filter((name) => name !== hash), before.filter((name) => name !== hash), path);
  }
}

Deno.test("whatever an address answers with is run with the right hash alone, or refused in a sentence", () =>
  withFileServer(answers, async (server, cache) => {
    const hash = await hashOf(loss);
    const own = async (path: keyof typeof answers) => await sha256(await (await answers[path]()).bytes());
    const differs = /^Cannot use ".*" as its \d+ bytes are not what was expected and were not kept: their SHA-256 is /;
    const imports = /: it has "[^"]*(import|import\()[^"]*", and must be one file without imports/;
    const silent = /^Cannot download ".*" as the server has sent nothing for 0\.3 seconds: try again later, or /;
    const large = /^Cannot download ".*" as it is larger than 1 MiB: download it yourself and name its path$/;
    await refusedEach(server, cache, [
      ["/other.js", hash, differs],
      ["/page.js", hash, differs],
      ["/page.js", await own("/page.js"), /^Cannot load the loss plug-in ".*": .*[Ee]xpression expected|^Cannot load/],
      ["/empty.js", hash, differs],
      ["/empty.js", await own("/empty.js"), /^Cannot use ".*" as a loss plug-in: it has no default export with a /],
      ["/latin.js", await own("/latin.js"), /^Cannot load the loss plug-in ".*": it is not UTF-8 text$/],
      ["/wide.js", await own("/wide.js"), /^Cannot load the loss plug-in ".*"/],
      ["/relative.js", await own("/relative.js"), imports],
      ["/https.js", await own("/https.js"), imports],
      ["/npm.js", await own("/npm.js"), imports],
      ["/to-file", hash, /^Cannot download ".*" as the network fails: /],
      ["/to-data", hash, /^Cannot download ".*" as the network fails: /],
      ["/to-itself", hash, /^Cannot download ".*" as the network fails: .*redirect/],
      ["/to-nowhere", hash, /^Cannot download ".*" as the network fails: /],
      ["/huge.js", hash, large],
      ["/promising.js", hash, large],
      ["/boasting.js", hash, /^Cannot download ".*"/],
      ["/mute.js", hash, silent],
      ["/silent.js", hash, silent],
      ["/dripping.js", hash, silent],
    ]);
    const schemes = ["file:///etc/x.js", "ftp://127.0.0.1/x.js", "http://127.0.0.2/x.js", "ws://127.0.0.1/x.js"];
    await refusedEach(
      server,
      cache,
      schemes.map((
        url,
      ) => [url, hash, /^Cannot load the loss plug-in ".*": expected an address that begins with https/]),
    );
  }));

Deno.test("two addresses of the same content are one file of the cache; a redirect to the right content is followed", () =>
  withFileServer(answers, async ({ url, requests }, cache) => {
    const hash = await hashOf(loss);
    const load = (path: string) =>
      loadPluginUrl("loss", { url: url(path), integrity: `sha256-${hash}`, allowed: true }, { cache });
    assert.equal((await load("/to-loss")).name, "hostile");
    assert.equal((await load("/again.js")).name, "hostile");
    assert.deepEqual(requests, ["/to-loss", "/loss.js"]);
  }));

Deno.test("a file of the cache that was tampered with is fetched anew, and never run", () =>
  withFileServer(answers, async (server, cache) => {
    const hash = await hashOf(loss);
    const kept = join(cache, hash);
    const plugin = { url: server.url("/loss.js"), integrity: `sha256-${hash}`, allowed: true };
    const outside = await Deno.makeTempFile();
    try {
      const tampered: (() => Promise<void>)[] = [
        () => Deno.writeTextFile(kept, lossThat("Deno.exit(0)")),
        () => Deno.writeTextFile(kept, loss.slice(1)),
        () => Deno.writeTextFile(kept, ""),
        // Far too large to be read: a file of holes.
        () => Deno.writeTextFile(kept, "").then(() => Deno.truncate(kept, 2 ** 40)),
        async () => {
          await Deno.writeTextFile(outside, "something else");
          await Deno.symlink(outside, kept);
        },
        () => Deno.symlink(join(cache, "nothing"), kept),
      ];
      for (const [index, tamper] of tampered.entries()) {
        await Deno.remove(kept).catch(() => {});
        await tamper();
        assert.equal((await loadPluginUrl("loss", plugin, { cache })).name, "hostile", String(index));
        assert.equal(server.requests.length, index + 1, "it was fetched");
        assert.deepEqual([await Deno.readTextFile(kept), (await Deno.lstat(kept)).isFile], [loss, true]);
      }
      assert.equal(await Deno.readTextFile(outside), "something else");
    } finally {
      await Deno.remove(outside);
    }
  }));

Deno.test("a cache that is no folder, and what is no file in it, is told", () =>
  withFileServer(answers, async ({ url }, folder) => {
    const hash = await hashOf(loss);
    const refused = (cache: string, message: RegExp) =>
      assert.rejects(
        loadPluginUrl("loss", { url: url("/loss.js"), integrity: `sha256-${hash}`, allowed: true }, { cache }),
        { name: "UserError", message },
      );
    const at = (name: string) => join(folder, name);
    await Deno.writeTextFile(at("file"), "");
    await refused(
      at("file"),
      /^Cannot (read|make) .* as (a part of the path is a file|there is something of that name)/,
    );
    await Deno.symlink(at("circle"), at("circle"));
    await refused(at("circle"), /^Cannot read the downloaded file ".*" as its symbolic links lead in a circle/);
    await Deno.mkdir(join(at("taken"), hash), { recursive: true });
    await refused(at("taken"), /^Cannot read the downloaded file ".*" as it is a folder/);
    if (Deno.build.os === "linux") {
      await Deno.mkdir(at("pipes"));
      await new Deno.Command("mkfifo", { args: [join(at("pipes"), hash)] }).output();
      await refused(at("pipes"), /^Cannot read the downloaded file ".*" as it is no file: remove it$/);
    }
    await Deno.mkdir(at("real"));
    await Deno.symlink(at("real"), at("link"));
    const plugin = { url: url("/loss.js"), integrity: `sha256-${hash}`, allowed: true };
    assert.equal(
      (await loadPluginUrl("loss", plugin, { cache: at("link") })).name,
      "hostile",
      "a link to a folder is one",
    );
  }));

Deno.test("on the command line each of these is the place in the recipe, a sentence and exit code 2", () =>
  withTinyData((folder) =>
    withFileServer(answers, async ({ url }) => {
      const cached = join(CHECKOUT, "runs", "cache");
      const hash = await hashOf(loss);
      const train = async (use: string, integrity: string) => {
        const recipe = join(folder, "recipe.yaml");
        const keys = `{ use: "${use}", integrity: sha256-${integrity} }`;
        await Deno.writeTextFile(recipe, tinyRecipe.replace("{ use: cross-entropy }", keys));
        const flags = ["--allow-plugin-url", "--out", join(folder, "run"), "--backend", "cpu"];
        return await runHere("train", [recipe, ...flags]);
      };
      const refused = async (use: string, message: RegExp, integrity = hash) => {
        const { code, stderr } = await train(use, integrity);
        assert.match(stderr, message);
        assert.match(stderr, /^.*recipe\.yaml:14:\d+: [^\n]*\n$/);
        assert.equal(code, 2);
        await assert.rejects(Deno.stat(join(folder, "run")), Deno.errors.NotFound);
        await assert.rejects(Deno.stat(join(cached, hash)), Deno.errors.NotFound);
      };
      await refused(url("/other.js"), /are not what was expected/);
      await refused(url("/to-host"), /without network access to example\.org: /);
      await refused(url("/huge.js"), /larger than 1 MiB/);
      for (const use of ["data:text/javascript,export default 1", "blob:null/x", "npm:zod", "jsr:@std/path"]) {
        await refused(use, /Cannot use integrity with ".*": it is for a plug-in named by its address/);
      }
    })
  ));
