/** How a trial ended well: the program did what was asked, or said in a sentence why it does not. */
export type Ending = "fine" | "refused";

/** One way to hurt the program, tried again and again by seed. */
export interface Campaign {
  readonly name: string;
  /** How many trials, from seed 0 on, `deno task test` runs. */
  readonly quick: number;

  /**
   * One trial; the same seed gives the same trial.
   *
   * @returns how it ended well
   * @throws Error that says what is wrong, if it ended otherwise: an internal error, a hang, a broken file
   */
  trial(seed: number): Promise<Ending>;
}

/** What the trials of a campaign came to. */
export interface Toll {
  fine: number;
  refused: number;
  readonly faults: { readonly seed: number; readonly message: string }[];
}

/**
 * Runs trials from a seed on until `enough` says so.
 *
 * @param enough - asked before each trial with the number of those done
 */
export async function runCampaign(campaign: Campaign, first: number, enough: (done: number) => boolean): Promise<Toll> {
  const toll: Toll = { fine: 0, refused: 0, faults: [] };
  for (let done = 0; !enough(done); done++) {
    const seed = first + done;
    try {
      toll[await campaign.trial(seed)]++;
    } catch (error) {
      toll.faults.push({ seed, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return toll;
}
