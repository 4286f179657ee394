import type { Campaign } from "./campaign.ts";
import { losses } from "./losses_campaign.ts";
import { numerics } from "./numerics_campaign.ts";
import { recipeFuzz } from "./recipe_fuzz.ts";
import { soak } from "./soak_campaign.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [recipeFuzz, losses, numerics, soak];
