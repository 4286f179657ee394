import type { Reporter } from "../progress.ts";

/** How much a matrix's norm may grow before a warning says so. */
const GROWTH_WARNING = 10;

/** Warns, once for each, of over-parameterised matrices whose norm has grown much. */
export class GrowthWarning {
  readonly #warned = new Set<string>();

  /**
   * @param initialNorms Frobenius norms before training, by name
   * @param clip the bound on the gradient's norm, or `null`
   */
  constructor(
    private readonly initialNorms: Readonly<Record<string, number>>,
    private readonly clip: number | null,
    private readonly reporter: Reporter,
  ) {}

  /** Looks at the norms of now. */
  check(norms: Readonly<Record<string, number>>): void {
    for (const [name, norm] of Object.entries(norms)) {
      if (this.#warned.has(name) || norm <= GROWTH_WARNING * this.initialNorms[name]) continue;
      this.#warned.add(name);
      const advice = this.clip === null
        ? "set train.clipGradientNorm to 1, or lower train.optimiser.learningRate"
        : "lower train.optimiser.learningRate or train.cores.learningRateScale";
      this.reporter.warning(
        `the norm of ${name} grew from ${this.initialNorms[name].toPrecision(3)} to ${norm.toPrecision(3)}, ` +
          `and a weight this large before batch norm learns no more: ${advice}`,
      );
    }
  }
}
