import type { Chain } from "../../core/mpo/chain.ts";
import { chainProvider } from "../../core/overparameterise/mpo.ts";
import type { OverParameterised } from "../../core/overparameterise/weight_provider.ts";

/** A weight of a shape that a student holds as a chain. */
export function heldChain({ rows, cols, cores }: Chain, shape: readonly number[]): OverParameterised {
  return { provider: chainProvider({ rows, cols, gauge: "balanced" }, shape), start: cores };
}
