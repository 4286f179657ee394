import { join } from "node:path";

/** What the page computes on, under the names that the quickstart's recipe gives them. */
export const FILES: readonly string[] = [
  "tasks/recipes/quickstart.yaml",
  ...["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"]
    .map((name) => `plugins/datasets/data/fashion-mnist/${name}`),
  "plugins/datasets/data/fashion-mnist/t10k-labels-idx1-ubyte.gz",
  "plugins/datasets/data/fashion-mnist/LICENSE",
  "plugins/models/data/fashion-resnet20/config.json",
  "plugins/models/data/fashion-resnet20/model.safetensors",
];

/** The files of a site by their paths. */
export type Site = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/**
 * Makes the page: a folder of static files that any web server can serve, from any path.
 *
 * @param checkout the folder of the sources
 */
export async function buildSite(checkout: string): Promise<Site> {
  const folder = join(checkout, "tasks", "demo");
  const site = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of ["index.html", "style.css"]) site.set(name, await Deno.readFile(join(folder, name)));
  for (const name of ["page", "worker"]) site.set(`${name}.js`, await bundle(folder, `${name}.ts`));
  site.set("files.json", new TextEncoder().encode(JSON.stringify(FILES)));
  for (const path of FILES) site.set(`files/${path}`, await Deno.readFile(join(checkout, path)));
  return site;
}

/** One module of a file and all that it imports. @throws Error with what the bundler says */
async function bundle(folder: string, entry: string): Promise<Uint8Array<ArrayBuffer>> {
  // The packages' versions stand in the import map.
  const flags = ["--no-config", "--no-lock", "--import-map", join(folder, "bundle.json"), "--platform", "browser"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...flags, "--minify", "--quiet", join(folder, entry)],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle the page's ${entry}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}
