import { dirname, join } from "node:path";
import type { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { makeFolder, readTextIfThere, writeFileAtomically } from "../core/files.ts";
import { showBytes } from "../core/show_bytes.ts";
import { serveSite } from "./demo/serve.ts";
import { buildSite, type Site } from "./demo/site.ts";
import { sources } from "./support/checkout.ts";
import { addVerbose } from "./support/flags.ts";
import { standardOutput } from "./support/output.ts";
import { onPort, portNumber } from "./support/port.ts";

interface DemoFlags {
  readonly out?: string;
  readonly port: string;
}

/** Adds the verb `demo`: the page on which the quickstart runs in a browser. */
export function addDemo(program: Command): void {
  addVerbose(
    program.command("demo").description("serve a page on which the quickstart runs in the browser, or write its files")
      .option("--port <number>", "port on 127.0.0.1; 0: any that is free", "8000")
      .option("--out <folder>", "write the site there, for any web server, and do not serve it"),
  ).action(async ({ out, port }: DemoFlags) => {
    const number = portNumber(port);
    const site = await buildSite(sources("make the page"));
    if (out === undefined) await serve(site, number);
    else await write(site, out);
  });
}

async function serve(site: Site, port: number): Promise<void> {
  await using served = onPort(port, () => serveSite(site, { port }));
  standardOutput("stdout").line(`the page is at ${served.address} until Ctrl-C`);
  await served.finished;
}

/** By what a page of ours is told from somebody else's. */
const TITLE = "<title>OPDF";

async function write(site: Site, folder: string): Promise<void> {
  if (folder.trim() === "") throw new UserError('--out "": Expected the name of a folder');
  const there = await readTextIfThere(join(folder, "index.html"), "the page that is there");
  if (there !== null && !there.includes(TITLE)) {
    throw new UserError(
      `Cannot write the page to "${folder}" as there is another index.html: name another folder, or move it away`,
    );
  }
  let bytes = 0;
  for (const [path, content] of site) {
    const file = join(folder, path);
    await makeFolder(dirname(file), "the site's folder");
    await writeFileAtomically(file, content);
    bytes += content.length;
  }
  const out = standardOutput("stdout");
  out.line(`written ${site.size} files, ${showBytes(bytes)}, to ${folder}`);
  out.line("with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp");
  out.line("its cpu backend has threads; without them one");
}
