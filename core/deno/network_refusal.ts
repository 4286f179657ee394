/** The tasks of deno.json give no network, so that nothing goes out unasked; this says how to allow one host. */
export function networkRefusal(error: unknown, url: string): string | null {
  if (!(error instanceof Deno.errors.NotCapable)) return null;
  // A redirect may lead to another host, which only Deno's message names.
  const refused = error.message.match(/"([^"]+)"/)?.[1].replace(/:(80|443)$/, "");
  const hosts = [...new Set([new URL(url).host, ...(refused ? [refused] : [])])];
  const remedy = Deno.build.standalone
    ? "download it yourself and name its path"
    : `allow it by deno run --allow-net=${hosts.join()} --no-lock --no-prompt --allow-read --allow-write ` +
      "--allow-env=CI,TERM tasks/cli.ts distill RECIPE";
  return `Deno was started without network access to ${hosts.at(-1)}: ${remedy}`;
}
