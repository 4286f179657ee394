import { largestFactors } from "../../mpo/automatic_shapes.ts";
import { chainParameterCount } from "../../mpo/shapes.ts";
import { matrixSize } from "../../nn/matrix_size.ts";
import type { WeightProvider } from "../../overparameterise/weight_provider.ts";
import type { Model } from "../../plugin/model.ts";

/** Numbers of a chain over those of its matrix, below which nobody would call it over-parameterised. */
const HARDLY = 1.1;

/** How many are shown of many. */
const SHOWN = 3;

/**
 * Chains that train hardly more numbers than their matrices have, as those of prime sides do.
 *
 * @returns a sentence that names them, with factors that would train more where there are any; `null` if there are none
 */
export function weakChains(
  providers: ReadonlyMap<string, Pick<WeightProvider, "chain">>,
  { parameters }: Model,
): string | null {
  const chains = [...providers.values()].filter(({ chain }) => chain !== null);
  const weak = parameters.flatMap(({ name, shape }) => {
    const spec = providers.get(name)?.chain;
    if (!spec) return [];
    const { rows, cols } = matrixSize(shape);
    const count = chainParameterCount(spec.rows, spec.cols);
    if (count >= HARDLY * rows * cols) return [];
    const better = largestFactors(rows, cols, spec.rows.length);
    const most = chainParameterCount(better.rows, better.cols);
    const advice = most < HARDLY * rows * cols
      ? "no factors of its sides would train many more"
      : `rows ${show(better.rows)} with cols ${show(better.cols)} would train ${most}`;
    return [`${name} (${rows} x ${cols}) trains ${count} numbers for ${rows * cols}: ${advice}`];
  });
  if (weak.length === 0) return null;
  const more = weak.length > SHOWN ? [`and ${weak.length - SHOWN} more`] : [];
  return `${weak.length} of ${chains.length} chains hardly over-parameterise their matrices: ` +
    [...weak.slice(0, SHOWN), ...more].join("; ");
}

const show = (factors: readonly number[]) => `[${factors.join(", ")}]`;
