/**
 * Runs campaigns for so many minutes: `deno task torture --minutes 20 --only kill`. A fault names the seed that gives
 * it again: `--only NAME --seed S --trials 1`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Campaign, runCampaign, type Toll } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";

/** Seconds between two lines about a campaign under way where none replaces the one before it. */
const PLAIN_INTERVAL = 30;

/** Faults after which a campaign has shown enough. */
const MOST_FAULTS = 50;

/** A campaign with what its trials came to so far. */
interface Record {
  readonly campaign: Campaign;
  toll: Toll;
  seconds: number;
}

function usage(message: string): never {
  console.error(message);
  Deno.exit(2);
}

/** What the flags ask for; exits with code 2 if they make no sense. */
function flags() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "20" },
        seed: { type: "string", default: "1000" },
        trials: { type: "string", default: "Infinity" },
        only: { type: "string", default: "" },
        list: { type: "boolean", default: false },
      },
    });
    const [minutes, seed, trials] = [Number(values.minutes), Number(values.seed), Number(values.trials)];
    if (!(minutes > 0)) usage(`--minutes ${values.minutes}: Expected a number above 0`);
    if (!Number.isSafeInteger(seed) || seed < 0) usage(`--seed ${values.seed}: Expected a whole number from 0`);
    if (!(trials >= 1)) usage(`--trials ${values.trials}: Expected a whole number from 1`);
    // The whole name means that campaign alone, even if another's name contains it.
    const exact = campaigns.filter(({ name }) => name === values.only);
    const chosen = exact.length > 0 ? exact : campaigns.filter(({ name }) => name.includes(values.only));
    if (chosen.length === 0) usage(`--only ${values.only}: Expected a part of a name that --list shows`);
    return { minutes, seed, trials, chosen, list: values.list };
  } catch (error) {
    usage((error as Error).message);
  }
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Tells of one campaign as its trials go by; in place on a terminal. */
function progress({ campaign, toll }: Record, begin: number, end: number) {
  const terminal = Deno.stdout.isTerminal();
  let told = 0, last = begin;
  const clear = () => terminal && Deno.stdout.writeSync(new TextEncoder().encode("\r\x1b[K"));
  return (now = performance.now()) => {
    clear();
    for (; told < toll.faults.length; told++) {
      const { seed, message } = toll.faults[told];
      console.log(`${campaign.name}: seed ${seed}: ${message}`);
    }
    const left = Number.isFinite(end) ? `, ${clock(Math.max(0, end - now) / 1000)} left` : "";
    const line = `${campaign.name}: ${toll.fine} fine, ${toll.refused} refused, ${toll.faults.length} faults${left}`;
    if (terminal) {
      Deno.stdout.writeSync(new TextEncoder().encode(line));
    } else if (now - last >= 1000 * PLAIN_INTERVAL) {
      console.log(line);
      last = now;
    }
    return clear;
  };
}

function showTable(records: readonly Record[]): void {
  const rows = records.map(({ campaign, toll: { fine, refused, faults }, seconds }) => [
    campaign.name,
    String(fine + refused + faults.length),
    String(fine),
    String(refused),
    String(faults.length),
    clock(seconds),
    campaign.told?.() ?? "",
  ]);
  const table = [["campaign", "trials", "fine", "refused", "faults", "time", ""], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const cell = (text: string, column: number) =>
    column % 6 === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]);
  for (const row of table) console.log(row.map(cell).join("  ").trimEnd());
}

const { minutes, seed, trials, chosen, list } = flags();
if (list) {
  for (const { name, missing } of chosen) {
    const reason = missing?.() ?? null;
    console.log(reason === null ? name : `${name} (not on this machine: ${reason})`);
  }
  Deno.exit(0);
}

const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => {
  if (stop.signal.aborted) Deno.exit(130);
  stop.abort();
});

const able = chosen.filter((campaign) => {
  const reason = campaign.missing?.() ?? null;
  if (reason !== null) console.log(`${campaign.name}: not on this machine: ${reason}`);
  return reason === null;
});
const records: Record[] = [];
const finish = performance.now() + 60_000 * minutes;
for (const [index, campaign] of able.entries()) {
  if (stop.signal.aborted) break;
  const record: Record = { campaign, toll: { fine: 0, refused: 0, faults: [] }, seconds: 0 };
  records.push(record);
  const begin = performance.now();
  // Each gets an equal share of what is left.
  const end = begin + (finish - begin) / (able.length - index);
  const tell = progress(record, begin, end);
  const clear = tell();
  const enough = (done: number) => {
    return done >= trials || performance.now() >= end || record.toll.faults.length >= MOST_FAULTS;
  };
  const after = (toll: Toll) => {
    Object.assign(record.toll, toll);
    tell();
  };
  await runCampaign(campaign, seed, enough, { after, signal: stop.signal });
  record.seconds = (performance.now() - begin) / 1000;
  clear();
}
showTable(records);
const faulty = records.some(({ toll }) => toll.faults.length > 0);
Deno.exit(faulty ? 1 : stop.signal.aborted ? 130 : 0);
