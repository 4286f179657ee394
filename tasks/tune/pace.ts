import type { Expected } from "./prepare.ts";
import type { Configuration } from "./space.ts";

/** So many evaluations tell by how much the next one may be late. */
const LATEST = 8;

/** Epochs of a training over a part of a whole one's length. */
export const epochsOver = (whole: number, resource: number): number => Math.max(1, Math.round(whole * resource));

/** How long trials take, by the probe and by what they took so far. */
export class Pace {
  /** By configuration the seconds that its runs took, and those that were expected of them. */
  readonly #taken = new Map<string, { readonly measured: number; readonly expected: number }>();
  readonly #lengths = new Map<string, number>();
  /** Seconds that the last evaluations took longer than was expected of them. */
  readonly #late: number[] = [];

  /** @param length epochs of a configuration's whole training */
  constructor(
    private readonly expected: Pick<Expected, "opening" | "epoch">,
    private readonly length: (configuration: Configuration) => number,
  ) {}

  /** Seconds that one of the last evaluations was late, at most. */
  get late(): number {
    return Math.max(0, ...this.#late);
  }

  /** How many times as long as by the probe runs take. */
  get ratio(): number {
    return this.#ratio([...this.#taken.values()]);
  }

  /** Seconds of a training over a part of a configuration's whole length. */
  seconds(configuration: Configuration, resource: number): number {
    return this.#foreseen(configuration, this.#epochsOf(configuration, resource));
  }

  /** Such a training begins. The result is told how long it took. */
  begin(configuration: Configuration, resource: number): (seconds: number) => void {
    const epochs = this.#epochsOf(configuration, resource);
    // What the probe said is no measure of it.
    const foreseen = this.#taken.size === 0 ? null : this.#foreseen(configuration, epochs);
    return (seconds) => {
      if (foreseen !== null) this.#late.unshift(seconds - foreseen);
      this.#late.length = Math.min(this.#late.length, LATEST);
      const key = JSON.stringify(configuration);
      const { measured, expected } = this.#taken.get(key) ?? { measured: 0, expected: 0 };
      this.#taken.set(key, { measured: measured + seconds, expected: expected + this.#ideal(epochs) });
    };
  }

  #epochsOf(configuration: Configuration, resource: number): number {
    const key = JSON.stringify(configuration);
    const whole = this.#lengths.get(key) ?? this.length(configuration);
    this.#lengths.set(key, whole);
    return epochsOver(whole, resource);
  }

  /** What so many epochs take by what runs took so far, those of the same configuration if there are any. */
  #foreseen(configuration: Configuration, epochs: number): number {
    const own = this.#taken.get(JSON.stringify(configuration));
    return this.#ideal(epochs) * this.#ratio(own ? [own] : [...this.#taken.values()]);
  }

  #ratio(taken: readonly { readonly measured: number; readonly expected: number }[]): number {
    const [measured, expected] = (["measured", "expected"] as const).map((key) =>
      taken.reduce((sum, one) => sum + one[key], 0)
    );
    return expected > 0 ? measured / expected : 1;
  }

  /** What some epochs would take if all were like the probe. */
  #ideal(epochs: number): number {
    return this.expected.opening + epochs * this.expected.epoch;
  }
}
