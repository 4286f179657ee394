import assert from "node:assert/strict";
import { join } from "node:path";
import type { Random } from "../../core/data/random.ts";
import { treeOf } from "../support/run_files.ts";
import { CAN_MOUNT, type SmallDisk, withSmallDisk } from "../support/small_disk.ts";
import type { Campaign } from "./campaign.ts";
import type { Life } from "./lives.ts";
import { onLives } from "./on_lives.ts";
import { checkEnding, type Command, type Death, ended, momentIn, run, start } from "./process.ts";
import { copy, type Workshop } from "./workshop.ts";

/** Bytes of a page: each file of the disk takes whole ones. */
const PAGE = 4096;

/** The file by which somebody else fills the disk; named so that nobody takes it for a result. */
const FILLER = ".filler.tmp";

/** Room enough for everything. */
const ROOM = 2 ** 26;

/** Leaves little room on a disk, and returns what is to be done while the command is at work. */
function tighten(
  { folder, usage, resize, limitNames }: SmallDisk,
  command: Command,
  random: Random,
): () => Promise<void> {
  const { bytes, names } = usage();
  const nothing = () => Promise.resolve();
  switch (random.below(4)) {
    case 0:
      // As mounted, it has as many as it likes.
      limitNames(names + 1 + random.below(24));
      return nothing;
    case 1:
      // Somebody else fills it at any moment.
      return async () => {
        await new Promise((wake) => setTimeout(wake, momentIn(command, random)));
        await Deno.writeFile(join(folder, FILLER), new Uint8Array(usage().free)).catch(() => {});
      };
    default:
      resize(bytes + PAGE * (1 + random.below(90)));
      return nothing;
  }
}

let full = 0, processes = 0;

/** The process came to its end, or said that the disk is full, and where, and left nothing half done. */
function checkFull(death: Death, { place }: Workshop): "fine" | "refused" {
  processes++;
  const ending = checkEnding(death);
  if (ending === "fine" || /^Cannot resume as there is no checkpoint/.test(death.stderr)) return ending;
  full++;
  assert.match(death.stderr, / as the disk is full: free some space, or name a path on another disk\n$/);
  assert.ok(death.stderr.includes(place), death.stderr);
  const left = treeOf(place).filter((path) => /\.tmp$|\.lock$/.test(path) && path !== FILLER);
  assert.deepEqual(left, [], "left on a full disk");
  return ending;
}

async function onSmallDisk(life: Life, random: Random, shop: Workshop) {
  const aside = `${shop.place}.aside`;
  await Deno.rename(shop.place, aside);
  await Deno.mkdir(shop.place);
  return await withSmallDisk(ROOM, async (disk) => {
    await copy(aside, shop.place);
    await Deno.remove(aside, { recursive: true });
    const meanwhile = tighten(disk, life.command, random);
    const [death] = await Promise.all([run(life.command), meanwhile()]);
    const ending = checkFull(death, shop);
    await life.check();
    // Once more without room: it must not get worse.
    if (random.below(3) === 0) checkFull(await run(life.again[random.below(life.again.length)]), shop);
    await life.check();
    await Deno.remove(join(shop.place, FILLER)).catch(() => {});
    disk.resize(ROOM);
    disk.limitNames(10_000);
    await life.recover(random);
    return ending;
  }, shop.place);
}

export const fullDisk: Campaign = onLives({
  name: "full disk",
  quick: 0,
  missing: () => CAN_MOUNT ? null : "it may not mount a file system",
  told: () => `${full} of ${processes} processes met a full disk`,
  hurt: onSmallDisk,
});

/** A shell that starts the words that follow under some condition, as bash says it. */
const under = (condition: string) => ["bash", "-c", condition, "bash"];

const withoutBash = () => {
  try {
    return new Deno.Command("bash", { args: ["-c", "ulimit -f 1"] }).outputSync().success ? null : "bash has no ulimit";
  } catch {
    return "bash is not installed";
  }
};

let limited = 0;

export const limitedFiles: Campaign = onLives({
  name: "limited file size",
  quick: 0,
  missing: withoutBash,
  told: () => `${limited} processes met the limit`,
  async hurt(life, random) {
    // In units of 1024 bytes. Unless the shell ignores it, the system ends the process by a signal.
    const dies = random.below(4) === 0;
    const condition = `${dies ? "" : "trap '' XFSZ; "}ulimit -f ${1 + random.below(120)}; exec "$@"`;
    const death = await run(life.command, { through: under(condition) });
    let ending: "fine" | "refused" = "refused";
    if (death.signal !== "SIGXFSZ" && !(dies && death.code === 153)) ending = checkEnding(death);
    if (ending === "refused") limited++;
    if (ending === "refused" && !dies) assert.match(death.stderr, /ulimit -f\) allows: raise that, or name a path/);
    await life.check();
    await life.recover(random);
    return ending;
  },
});

export const fullOutput: Campaign = onLives({
  name: "full output",
  quick: 0,
  missing: () => withoutBash() ?? (Deno.build.os === "linux" ? null : "it has no /dev/full"),
  async hurt(life, random) {
    const where = [">/dev/full", ">/dev/full 2>&1", "2>/dev/full"][random.below(3)];
    const child = start(life.command, { through: under(`exec "$@" ${where}`) });
    const death = await ended(child);
    const ending = checkEnding({ ...death, stderr: death.stderr || "Cannot say it anywhere.\n" });
    if (where === ">/dev/full") assert.match(death.stderr, /^Cannot write to "standard output" as the disk is full: /m);
    if (where !== "2>/dev/full") assert.equal(ending, "refused");
    await life.check();
    await life.recover(random);
    return ending;
  },
});
