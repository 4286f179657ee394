import type { Campaign } from "./campaign.ts";

/** Every campaign, in the order in which `deno task torture` runs them. */
export const campaigns: readonly Campaign[] = [];
