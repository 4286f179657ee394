import { Random } from "../../core/data/random.ts";
import type { Campaign, Ending } from "./campaign.ts";
import { type Life, livesOf } from "./lives.ts";
import { Workshop } from "./workshop.ts";

/** How the trials of a campaign over whole processes hurt them. */
export interface Hurt extends Pick<Campaign, "name" | "quick" | "missing" | "told"> {
  /**
   * Runs the life's command, hurting it, and looks at what is left.
   *
   * @returns how the process itself ended
   */
  hurt(life: Life, random: Random, shop: Workshop): Promise<Ending>;
  /** Which lives; all by default. */
  readonly lives?: (shop: Workshop) => Life[];
}

/** A campaign whose trials take the lives in turn, each in a new place of a workshop that they share. */
export function onLives({ hurt, lives = livesOf, ...rest }: Hurt): Campaign {
  let opened: Promise<{ shop: Workshop; all: Life[] }> | null = null;
  return {
    ...rest,
    async trial(seed) {
      opened ??= Workshop.open().then((shop) => ({ shop, all: lives(shop) }));
      const { shop, all } = await opened;
      const life = all[seed % all.length];
      try {
        await life.before();
        return await hurt(life, new Random(seed), shop);
      } catch (error) {
        throw new Error(`${life.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    },
    async close() {
      await (await opened)?.shop.close();
      opened = null;
    },
  };
}
