import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { isUrl, readRemoteFile, refusalOf } from "../../../core/data/remote_file.ts";
import { sha256 } from "../../../core/sha256.ts";
import { withFileServer } from "../../support/file_server.ts";

const content = new TextEncoder().encode("abc");
/** FIPS 180-4's example of SHA-256: the hash of "abc". */
const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const otherHash = hash.replace("ba", "ab");
const ok = { "/abc": () => new Response(content) };

const names = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name);
const refused = (promise: Promise<unknown>, message: string | RegExp) =>
  assert.rejects(promise, { name: "UserError", message });

Deno.test("the SHA-256 of a known text is the known one", async () => {
  assert.equal(await sha256(content), hash);
});

Deno.test("a file is downloaded once and then read from the cache folder, under its hash", () =>
  withFileServer(ok, async ({ url, requests }, folder) => {
    const cache = join(folder, "runs", "cache");
    const file = { url: url("/abc"), sha256: hash.toUpperCase() };
    assert.deepEqual(await readRemoteFile(file, { cache }), content);
    assert.deepEqual(await readRemoteFile(file, { cache }), content);
    assert.deepEqual(await readRemoteFile({ ...file, url: "https://gone.invalid/abc" }, { cache }), content);
    assert.deepEqual(requests, ["/abc"]);
    assert.deepEqual(names(cache), [hash]);
  }));

Deno.test("a kept file that was damaged is downloaded anew", () =>
  withFileServer(ok, async ({ url, requests }, cache) => {
    const file = { url: url("/abc"), sha256: hash };
    await Deno.writeTextFile(join(cache, hash), "abd");
    assert.deepEqual(await readRemoteFile(file, { cache }), content);
    assert.deepEqual(requests, ["/abc"]);
    assert.deepEqual(await Deno.readFile(join(cache, hash)), content);
  }));

Deno.test("content with another hash is refused with both hashes, and nothing is kept", () =>
  withFileServer(ok, async ({ url }, folder) => {
    const file = { url: url("/abc"), sha256: otherHash };
    await refused(
      readRemoteFile(file, { cache: folder }),
      `Cannot use "${file.url}" as its 3 bytes are not what was expected and were not kept: ` +
        `their SHA-256 is ${hash}, expected ${otherHash}`,
    );
    assert.deepEqual(names(folder), []);
  }));

Deno.test("an error of the server, a broken connection and no server are told apart", () =>
  withFileServer({
    "/error": () => new Response(null, { status: 503 }),
    // The server promises more than it sends, and then drops the connection.
    "/broken": () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(content);
            controller.error();
          },
        }),
        { headers: { "content-length": "100" } },
      ),
  }, async ({ url }, cache) => {
    const read = (address: string) => readRemoteFile({ url: address, sha256: hash }, { cache });
    const missing = url("/missing");
    await refused(
      read(missing),
      `Cannot download "${missing}" as the server answers 404 Not Found: check the address`,
    );
    await refused(read(url("/error")), /answers 503 Service Unavailable: check the address$/);
    await refused(read(url("/broken")), /^Cannot download "http:.*\/broken" as the network fails: .*body/);
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = closed.addr;
    closed.close();
    await refused(read(`http://127.0.0.1:${port}/abc`), /\/abc" as the network fails: .*connect/i);
    assert.deepEqual(names(cache), []);
  }));

Deno.test("a file larger than the limit is not downloaded to its end, whether or not the server says so", () =>
  withFileServer({
    "/honest": () => new Response(new Uint8Array(2 ** 20 + 1)),
    "/endless": () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16)) })),
  }, async ({ url }, cache) => {
    for (const path of ["/honest", "/endless"]) {
      await refused(
        readRemoteFile({ url: url(path), sha256: hash }, { cache, limit: 2 ** 20 }),
        `Cannot download "${url(path)}" as it is larger than 1 MiB: download it yourself and name its path`,
      );
    }
    assert.deepEqual(names(cache), []);
  }));

Deno.test("a gzipped file stays gzipped, though many servers call that an encoding for the way", async () => {
  const gzip = await new Response(new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
  const answers = { "/abc.gz": () => new Response(gzip, { headers: { "content-encoding": "gzip" } }) };
  await withFileServer(answers, async ({ url }, cache) => {
    assert.deepEqual(await readRemoteFile({ url: url("/abc.gz"), sha256: await sha256(gzip) }, { cache }), gzip);
  });
});

Deno.test({
  name: "without the permission for the network the command that gives it is named: that of the task, and one host",
  permissions: { read: true, write: true },
  fn: async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));
    const command = tasks.distill.command.replace("deno run", "deno run --allow-net=example.org:8443");
    await refused(
      readRemoteFile({ url: "https://example.org:8443/a.gz", sha256: hash }, { cache: "no-such-folder" }),
      'Cannot download "https://example.org:8443/a.gz" as Deno was started without network access to ' +
        `example.org:8443: allow it by ${command} RECIPE`,
    );
  },
});

Deno.test("a redirect to a host without permission names both hosts", () =>
  withFileServer({
    "/moved": () => new Response(null, { status: 302, headers: { location: "http://example.org/abc" } }),
  }, async ({ url }, cache) => {
    const { host } = new URL(url("/"));
    await refused(
      readRemoteFile({ url: url("/moved"), sha256: hash }, { cache }),
      new RegExp(`without network access to example\\.org: .* --allow-net=${host},example\\.org --no-lock --no-prompt`),
    );
  }));

Deno.test("only https and http are downloaded, and only with a hash", () => {
  for (const url of ["ftp://example.org/a", "file:///etc/passwd", "data:,abc", "example.org/a", "https://"]) {
    assert.equal(
      refusalOf({ url, sha256: hash }),
      `Cannot download "${url}": expected an address that begins with https:// or http://`,
    );
  }
  assert.equal(refusalOf({ url: "https://example.org/a", sha256: hash }), null);
  assert.match(
    refusalOf({ url: "https://example.org/a" }) ?? "",
    /^Cannot use "https:\/\/example.org\/a" without its SHA-256 as .*: write \{ url: https:.* sha256: … \} with what "sha256sum/,
  );
});

Deno.test("a URL is told from a path", () => {
  for (const url of ["https://a/b", "HTTP://a/b", "s3://a/b"]) assert.ok(isUrl(url), url);
  for (const path of ["a/b.gz", "/a/b", "C:\\data\\a.gz", "C:/data//a.gz", "a:b"]) assert.ok(!isUrl(path), path);
});
