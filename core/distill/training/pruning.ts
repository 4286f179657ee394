import type { Random } from "../../data/random.ts";
import { channelMasks } from "../../plugin/inner_widths.ts";
import { sizeOf } from "../../tensor.ts";
import { maskChanges, masksOf } from "../student/pruning/masks.ts";
import { type MaskPlan, numbersOf } from "../student/pruning/mask_plan.ts";
import type { Student } from "../student/student.ts";

/** What the masks of a training are changed by. */
export interface PruningSetup {
  readonly student: Student;
  readonly plan: MaskPlan;
  /** For weights that are masked at random. */
  readonly random: Random;
  readonly totalSteps: number;
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/**
 * Changes a student's masks after certain steps, which follow from the recipe: between them a step repeats and may be
 * replayed. A mask is made anew each time of the weights beneath it, so that what went may come back while more goes.
 */
export class Pruning {
  readonly #changes: ReadonlyMap<number, number>;
  readonly #last: number;
  #drawn: ReadonlyMap<string, Float32Array> | null = null;

  constructor(private readonly setup: PruningSetup) {
    this.#changes = maskChanges(setup.plan, setup.totalSteps);
    this.#last = Math.max(...this.#changes.keys());
  }

  /** Whether masks are those of the end once so many steps are done. */
  isFinal(steps: number): boolean {
    return steps >= this.#last;
  }

  /** A line about what will be done. */
  describe(): string {
    const { plan: { method, groups, weights, amount, channels } } = this.setup;
    if (channels) {
      return `pruning channels by ${method}: in ${this.#changes.size} parts up to step ${this.#last}; until it is ` +
        "exported the student is as wide as before";
    }
    const what = groups ? `${groups.kept} of every ${groups.of} inputs` : `${(100 - 100 * amount).toFixed(1)} %`;
    const when = this.#changes.size === 1
      ? this.#last === 0 ? "before training" : `after step ${this.#last}`
      : `in ${this.#changes.size} parts up to step ${this.#last}`;
    const count = numbersOf(weights).toLocaleString("en");
    return `pruning by ${method}: ${what} of ${count} numbers in ${weights.size} weights stay; the others go ${when}`;
  }

  /** Changes the masks if that is due after so many steps. */
  async after(steps: number): Promise<void> {
    const share = this.#changes.get(steps);
    if (share === undefined) return;
    const { student: { masks }, plan, report } = this.setup;
    const made = await this.#masks(share);
    for (const [name, mask] of made) masks.set(name, mask);
    if (steps < this.#last) return;
    const left = [...made.values()].reduce((sum, mask) => sum + mask.reduce((own, value) => own + value, 0), 0);
    report(
      `pruned after step ${steps}: ${left.toLocaleString("en")} of ${
        numbersOf(plan.weights).toLocaleString("en")
      } numbers stay`,
    );
  }

  async #masks(share: number): Promise<ReadonlyMap<string, Float32Array>> {
    const { student, plan, random } = this.setup;
    if (!plan.channels) return masksOf(plan, share, await this.#scores());
    const kept = plan.channels(await student.beneathMasks(), random, share);
    return channelMasks(student.model, kept, plan.weights.keys());
  }

  async #scores(): Promise<ReadonlyMap<string, Float32Array>> {
    const { student, plan: { method, weights }, random } = this.setup;
    if (method === "movement") return await student.scores.read();
    if (method === "magnitude") {
      return new Map([...await student.beneathMasks()].map(([name, values]) => [name, values.map(Math.abs)]));
    }
    return this.#drawn ??= new Map([...weights].map(([name, shape]) => {
      const own = random.split(name);
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => own.uniform())] as const;
    }));
  }
}
