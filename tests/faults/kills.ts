import type { Random } from "../../core/data/random.ts";
import { callsIn, endedByHook, killedAtCall } from "../support/hook.ts";
import type { Campaign, Ending } from "./campaign.ts";
import type { Life } from "./lives.ts";
import { onLives } from "./on_lives.ts";
import { checkEnding, type Command, type Death, ended, kill, momentIn, run, start } from "./process.ts";
import type { Workshop } from "./workshop.ts";

/** Ends a process of the command somewhere in its life, if it does not come to its end before. */
type Killer = (command: Command, random: Random, shop: Workshop) => Promise<Death>;

const pick = <Item>(items: readonly Item[], random: Random): Item => items[random.below(items.length)];

/** Kills a life's command, and then up to twice what goes on from there. */
function killing(name: string, quick: number, killer: Killer, missing?: () => string | null): Campaign {
  let kills = 0, processes = 0;
  return onLives({
    name,
    quick,
    missing,
    told: () => `${kills} of ${processes} processes were killed`,
    async hurt(life: Life, random: Random, shop: Workshop): Promise<Ending> {
      const times = 1 + random.below(3);
      for (let time = 0; time < times; time++) {
        const command = time === 0 ? life.command : pick(life.again, random);
        const death = await killer(command, random, shop);
        processes++;
        if (death.signal === "SIGKILL") kills++;
        else checkEnding(death);
        await life.check();
      }
      await life.recover(random);
      return "fine";
    },
  });
}

/** `kill -9` at any moment. */
const atAMoment: Killer = async (command, random) => {
  const child = start(command);
  const timer = setTimeout(() => kill(child, "SIGKILL"), momentIn(command, random));
  return await ended(child).finally(() => clearTimeout(timer));
};

/** How many calls each verb makes that change files. */
const most = new Map<string, number>();

/** Just before one of the calls by which the program changes files, in their order. */
const atACall: Killer = async (command, random, shop) => {
  const flags = await killedAtCall(shop.folder, random.below(most.get(command.verb) ?? 60));
  const death = await endedByHook(start(command, { flags }));
  const { calls, stderr } = callsIn(death.stderr);
  if (calls) most.set(command.verb, calls);
  return { ...death, code: death.signal === null ? death.code : null, stderr };
};

/** The system calls that change files, with how often a thread of the program may make each. */
const SYSTEM_CALLS: readonly (readonly [name: string, most: number])[] = [
  ["rename", 3],
  ["rename", 3],
  ["write", 12],
  ["write", 12],
  ["mkdir", 2],
  ["unlink", 2],
  ["rmdir", 1],
  ["fsync", 2],
  ["ftruncate", 1],
  ["flock", 2],
];

/** As the program enters a system call. strace counts the calls of each thread by itself. */
const atASystemCall: Killer = async (command, random) => {
  const [name, most] = pick(SYSTEM_CALLS, random);
  const inject = `inject=${name}:signal=KILL:when=${1 + random.below(most)}`;
  const through = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", `trace=${name}`, "-e", inject];
  const death = await run(command, { through });
  // strace ends as what it traces does; some versions by an exit code.
  return death.code === 137 ? { ...death, code: null, signal: "SIGKILL" } : death;
};

function withoutStrace(): string | null {
  try {
    const { success } = new Deno.Command("strace", { args: ["-qq", "-o", "/dev/null", "true"], stderr: "null" })
      .outputSync();
    return success ? null : "strace may not trace processes here";
  } catch {
    return "strace is not installed";
  }
}

export const killedAtAMoment = killing("killed at a moment", 1, atAMoment);
export const killedAtACall = killing("killed at a call", 0, atACall);
export const killedAtASystemCall = killing("killed at a system call", 0, atASystemCall, withoutStrace);
