import type { Campaign } from "./campaign.ts";
import { recipeFuzz } from "./recipe_fuzz.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [
  recipeFuzz,
];
