import type { Backend } from "../../core/backend/backend.ts";
import { createOps } from "../../core/ops/ops.ts";
import { cases } from "../core/ops/cases.ts";
import { halves } from "../support/backends.ts";
import { checkOnF16 } from "../support/f16_cases.ts";
import type { Campaign } from "./campaign.ts";

const all = Object.entries(cases).flatMap(([name, list]) => list.map((aCase, number) => ({ name, aCase, number })));
const open = new Map<string, Backend>();

/** Every case of every operation on float16, as the adapter is and as on hardware, with other numbers each round. */
export const f16: Campaign = {
  name: "float16",
  quick: 0,
  missing: () => halves.every(({ available }) => available) ? null : "no adapter with shader-f16",
  async trial(seed) {
    const kind = halves[seed % 2];
    const { name, aCase, number } = all[Math.floor(seed / 2) % all.length];
    if (!open.has(kind.name)) open.set(kind.name, await kind.open());
    const ops = createOps(open.get(kind.name)!);
    await checkOnF16(ops, aCase, `${kind.name}, ${name}, case ${number}`, 17 + seed);
    return "fine";
  },
  async close() {
    for (const backend of open.values()) await backend.close();
    open.clear();
  },
};
