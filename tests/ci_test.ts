import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKOUT } from "./support/task.ts";

/** Runs a function of .ci/backports.sh on files of a made-up folder of apt. */
async function backports(files: Record<string, string>, release = "bookworm") {
  const apt = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(apt, "sources.list.d"));
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(apt, name), text);
    const script = 'set -euo pipefail; . .ci/backports.sh; add_backports "$1" "$2"';
    const { code, stderr } = await new Deno.Command("bash", {
      args: ["-c", script, "bash", release, apt],
      cwd: CHECKOUT,
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    const written: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(join(apt, "sources.list.d"))) {
      if (name.startsWith("backports.")) written[name] = await Deno.readTextFile(join(apt, "sources.list.d", name));
    }
    return { found: code === 0, written };
  } finally {
    await Deno.remove(apt, { recursive: true });
  }
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "backports come from where a stanza of the machine has the release, with its keys",
  ignore,
  fn: async () => {
    const stanzas = `# comment
Types: deb
# http://snapshot.example/archive/debian
URIs: http://mirror.example/some/path/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;
    assert.deepEqual(await backports({ "sources.list.d/debian.sources": stanzas }), {
      found: true,
      written: {
        "backports.sources": `Types: deb
URIs: http://mirror.example/some/path/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
      },
    });
  },
});

Deno.test({
  name: "a stanza's values over several lines are kept, its suites replaced, and one that is switched off is left out",
  ignore,
  fn: async () => {
    const stanzas = `Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main

types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie
  trixie-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----`;
    const { written } = await backports({ "sources.list.d/debian.sources": stanzas }, "trixie");
    assert.equal(
      written["backports.sources"],
      `types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie-backports
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
`,
    );
  },
});

Deno.test({
  name: "backports come from where a line of the machine has the release, with its options",
  ignore,
  fn: async () => {
    const lines: readonly (readonly [line: string, expected: string])[] = [
      ["deb http://mirror.example/debian bookworm main", "deb http://mirror.example/debian bookworm-backports main"],
      [
        "deb [signed-by=/keys/debian.gpg] https://mirror.example/a/debian/ bookworm main contrib # ours",
        "deb [signed-by=/keys/debian.gpg] https://mirror.example/a/debian/ bookworm-backports main contrib",
      ],
      [
        "deb [ arch=amd64 signed-by=/keys/debian.gpg ] http://mirror.example/debian bookworm contrib main",
        "deb [ arch=amd64 signed-by=/keys/debian.gpg ] http://mirror.example/debian bookworm-backports contrib main",
      ],
    ];
    for (const [line, expected] of lines) {
      const text = `# deb http://off.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb http://other.example/tools bookworm stable
${line}
deb http://last.example/debian bookworm main
`;
      assert.deepEqual(await backports({ "sources.list": text }), {
        found: true,
        written: { "backports.list": `${expected}\n` },
      });
    }
  },
});

Deno.test({
  name: "the distribution's own file comes before those of other makers",
  ignore,
  fn: async () => {
    const { written } = await backports({
      "sources.list.d/a.list": "deb https://maker.example/prod bookworm main",
      "sources.list.d/debian.sources":
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n",
    });
    assert.deepEqual(Object.keys(written), ["backports.sources"]);
    assert.match(written["backports.sources"], /mirror\.example/);
  },
});

Deno.test({
  name: "backports that are there are not added twice, and without a source of the release none are",
  ignore,
  fn: async () => {
    const line = "deb http://mirror.example/debian bookworm main\n";
    const there = `${line}deb http://mirror.example/debian bookworm-backports main\n`;
    assert.deepEqual(await backports({ "sources.list": there }), { found: true, written: {} });
    const inWords = `# bookworm-backports would go here\n${line}`;
    assert.deepEqual(Object.keys((await backports({ "sources.list": inWords })).written), ["backports.list"]);
    assert.deepEqual(await backports({ "sources.list": line }, "trixie"), { found: false, written: {} });
    assert.deepEqual(await backports({}), { found: false, written: {} });
  },
});

Deno.test("CI names no host", async () => {
  for (const file of ["run", "backports.sh"]) {
    const text = await Deno.readTextFile(join(CHECKOUT, ".ci", file));
    assert.doesNotMatch(text, /\w+:\/\//, file);
  }
});
