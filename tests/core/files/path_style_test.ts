import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "../../../core/data/random.ts";
import { pathStyles } from "../../../core/files/path_style.ts";

const random = new Random(7);
const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)];

const PARTS = ["a", "b", "Ab", "c.txt", ".", "..", "..", "x y", "é", ".hidden", "a%b#c?", "+,$;'()*!~@&=", "[x]|^`{}"];

/** A path of some parts, which may begin at a root, end in a separator, or have too many of these. */
function somePath(separators: readonly string[], roots: readonly string[]): string {
  const parts = Array.from({ length: random.below(5) }, () => pick(PARTS));
  const body = parts.reduce((path, part) => path === "" ? part : path + pick(separators) + part, "");
  return pick(roots) + body + pick(["", "", "", separators[0]]);
}

const STYLES = {
  posix: {
    node: posix,
    own: pathStyles.posix,
    separators: ["/", "/", "/", "//"],
    roots: ["", "", "/", "//"],
    cwd: "/w/d",
  },
  windows: {
    node: win32,
    own: pathStyles.windows,
    separators: ["\\", "\\", "/", "\\\\", "/\\"],
    roots: ["", "", "C:\\", "c:/", "D:\\", "\\", "/", "\\\\host\\share\\", "//host/share/"],
    cwd: "C:\\w\\d",
  },
};

for (const [name, { node, own, separators, roots, cwd }] of Object.entries(STYLES)) {
  Deno.test(`${name} paths are taken apart and put together as Node.js does it`, () => {
    for (let trial = 0; trial < 20_000; trial++) {
      const [a, b] = [somePath(separators, roots), somePath(separators, roots)];
      const c = somePath(separators, [""]);
      const shown = JSON.stringify([a, b, c]);
      assert.equal(own.join(a, c, c), node.join(a, c, c), `join of ${shown}`);
      assert.equal(own.dirname(a), node.dirname(a), `dirname of ${shown}`);
      assert.equal(own.basename(a), node.basename(a), `basename of ${shown}`);
      assert.equal(own.isAbsolute(a), node.isAbsolute(a), `isAbsolute of ${shown}`);
      assert.equal(own.resolve(cwd, a, b), node.resolve(cwd, a, b), `resolve of ${shown}`);
      const [from, to] = [node.resolve(cwd, a), node.resolve(cwd, b)];
      assert.equal(own.relative(from, to), node.relative(from, to), `relative of ${JSON.stringify([from, to])}`);
    }
  });
}

Deno.test("a path's address is what Node.js finds to stand for the path", () => {
  const { own, separators, roots, cwd } = STYLES.posix;
  for (let trial = 0; trial < 2000; trial++) {
    const path = posix.resolve(cwd, somePath(separators, roots), pick(["", "tab\t", "line\n", "back\\slash", "a:b"]));
    const address = own.fileAddress(path);
    assert.equal(new URL(address).href, address);
    assert.equal(fileURLToPath(address), path, address);
  }
});

Deno.test("a path of Windows has its drive or its host in its address", () => {
  const { own } = STYLES.windows;
  assert.equal(own.fileAddress("C:\\a b\\é%.ts"), "file:///C:/a%20b/%C3%A9%25.ts");
  assert.equal(own.fileAddress("\\\\host\\share\\x#.ts"), "file://host/share/x%23.ts");
});
