/** How a trial ended well: the program did what was asked, or said in a sentence why it does not. */
export type Ending = "fine" | "refused";

/** One way to hurt the program, tried again and again by seed. */
export interface Campaign {
  readonly name: string;
  /** How many trials, from seed 0 on, `deno task test` runs; none where other tests do the same with less. */
  readonly quick: number;
  /**
   * Measures the process that it runs in, or leaves timers behind: `deno task test` gives it one of its own, as tests
   * run beside others.
   */
  readonly alone?: boolean;

  /**
   * One trial; the same seed gives the same trial.
   *
   * @returns how it ended well
   * @throws Error that says what is wrong, if it ended otherwise: an internal error, a hang, a broken file
   */
  trial(seed: number): Promise<Ending>;

  /** What this machine lacks for it, as `strace is not installed`; `null` if nothing. */
  missing?(): string | null;
  /** What the trials so far met, for people: `311 of 340 died`. */
  told?(): string;
  /** Frees what its trials share. */
  close?(): Promise<void>;
}

/** What the trials of a campaign came to. */
export interface Toll {
  fine: number;
  refused: number;
  readonly faults: { readonly seed: number; readonly message: string }[];
}

/** What {@link runCampaign} may be asked for besides. */
export interface CampaignWatch {
  /** Called after each trial. */
  readonly after?: (toll: Toll) => void;
  /** Once it fires, the trial under way does not count, as its processes may have been stopped with it. */
  readonly signal?: AbortSignal;
}

/**
 * Runs trials from a seed on until `enough` says so.
 *
 * @param enough - asked before each trial with the number of those done
 */
export async function runCampaign(
  campaign: Campaign,
  first: number,
  enough: (done: number) => boolean,
  { after = () => {}, signal }: CampaignWatch = {},
): Promise<Toll> {
  const toll: Toll = { fine: 0, refused: 0, faults: [] };
  try {
    for (let done = 0; !signal?.aborted && !enough(done); done++) {
      const seed = first + done;
      let fault: string | null = null, ending: Ending | null = null;
      try {
        ending = await campaign.trial(seed);
      } catch (error) {
        fault = error instanceof Error ? error.message : String(error);
      }
      if (signal?.aborted) break;
      if (ending !== null) toll[ending]++;
      if (fault !== null) toll.faults.push({ seed, message: fault });
      after(toll);
    }
  } finally {
    await campaign.close?.();
  }
  return toll;
}
