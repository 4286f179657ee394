import { UserError } from "../../core/errors.ts";
import type { Ending } from "./campaign.ts";

/** The longest that an answer to a file may take, in ms. */
const MOST_MS = 10_000;
/** The most bytes by which the process may grow while a file is read. */
const MOST_GROWTH = 512 * 2 ** 20;
/** The longest sentence that somebody reads. */
const MOST_LETTERS = 1200;

/** The runtime's own words, which say nothing to who did not write the program. */
const RAW =
  /Unexpected (token|end|number|string|non)|JSON at position|Cannot (read|set) propert|undefined|\bNaN\b|Infinity|Invalid (array|typed array|string) |Array buffer|\[object |is not (a function|iterable|defined|a constructor|an object)|Maximum call stack|call stack|out of (range|bounds|memory)|Cannot destructure|before initialization|Zod|Invalid input/;

/** What stands in a file may be told: a weight that is not finite. */
const TOLD = / is (?:NaN|-?Infinity): all weights must be finite$/;

/**
 * Runs what reads a broken file and judges how it ends: with a result, or with one sentence that names the file.
 *
 * @param names what a refusal must name: a part of the path
 * @param body reads, and checks what it was given; a failed check is a fault
 * @throws Error that says what was wrong: an internal error, a sentence that is none, a hang, too much memory
 */
export async function answered(names: string | RegExp, body: () => Promise<unknown>): Promise<Ending> {
  const { rss } = Deno.memoryUsage();
  const start = performance.now();
  let ending: Ending = "fine";
  try {
    await body();
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw new Error(`internal error: ${error instanceof Error ? error.stack : error}`);
    }
    judge(error.message, names);
    ending = "refused";
  }
  const took = performance.now() - start;
  if (took > MOST_MS) throw new Error(`took ${Math.round(took / 1000)} s`);
  const growth = Deno.memoryUsage().rss - rss;
  if (growth > MOST_GROWTH) throw new Error(`took ${Math.round(growth / 2 ** 20)} MiB`);
  return ending;
}

function judge(sentence: string, names: string | RegExp): void {
  // What the file itself says stands in quotes, and may be anything.
  const own = sentence.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const raw = RAW.exec(own.replace(TOLD, ""))?.[0];
  if (raw !== undefined) throw new Error(`the runtime's words, "${raw}": ${sentence}`);
  if (typeof names === "string" ? !sentence.includes(names) : !names.test(sentence)) {
    throw new Error(`no path: ${sentence}`);
  }
  // Of a checked file each line is a mistake with its place.
  const [, ...more] = sentence.split("\n");
  if (!more.every((line) => /^(?:\S.*:\d+:\d+: |and \d+ more$)/.test(line))) {
    throw new Error(`more than a line: ${sentence}`);
  }
  if (sentence.length > MOST_LETTERS) throw new Error(`${sentence.length} letters: ${sentence.slice(0, 300)}`);
}
