import assert from "node:assert/strict";
import { failureOf } from "../../../core/node/failure.ts";

const errorOf = (code: unknown, message = "", more: object = {}) =>
  Object.assign(new Error(message), { code, ...more });

Deno.test("Node.js's errors of files are known by their code, with what helps where it is Node.js that refuses", () => {
  assert.deepEqual(failureOf(errorOf("ENOENT")), { code: "ENOENT" });
  assert.deepEqual(failureOf(errorOf("ERR_ACCESS_DENIED", "", { permission: "FileSystemRead" })), {
    code: "EACCES",
    reason: "Node.js was started without the permission for it: add --allow-fs-read=*",
  });
  const nul = "The argument 'path' must be a string, Uint8Array, or URL without null bytes. Received 'a\\x00'";
  assert.deepEqual(failureOf(errorOf("ERR_INVALID_ARG_VALUE", nul)), {
    code: "EINVAL",
    reason: "no file's name has a NUL character in it",
  });
  for (const other of [errorOf("ERR_OUT_OF_RANGE"), errorOf(5), new Error("ENOENT"), "ENOENT"]) {
    assert.equal(failureOf(other), null);
  }
});
