import { Random } from "../../core/data/random.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { type Path, startsWith, valueAtPath } from "../../core/recipe/paths.ts";

/** A lever's position: a number, or the name of an option. */
export type Position = number | string;

/** By lever, where it does not stand as in the recipe. The empty configuration is the recipe itself. */
export type Configuration = Readonly<Record<string, Position>>;

/** A configuration in words. */
export function describeConfiguration(configuration: Configuration): string {
  return Object.entries(configuration).map(([lever, position]) => `${lever}: ${position}`).join(", ") ||
    "the recipe as it is";
}

/** What all levers have. */
interface LeverBase {
  readonly name: string;
  /** How the recipe's own setting is called, where nothing is changed. */
  readonly own: Position;
  /** The position that means "without it"; `null`: there is none. */
  readonly off: Position | null;
  /** What the verdict holds it against where it is not moved; unset: `off`. */
  readonly against?: Position;
  /** Where other levers stand so, this one has no effect, and is left as it is. */
  readonly unless: Readonly<Record<string, readonly Position[]>>;
}

/** A lever with options, each of which changes the recipe. */
export interface Choice extends LeverBase {
  readonly kind: "choice";
  readonly options: ReadonlyMap<string, readonly Override[]>;
}

/** A lever whose position is a number of the recipe. */
export interface Range extends LeverBase {
  readonly kind: "range";
  readonly key: Path;
  readonly from: number;
  readonly to: number;
  readonly scale: "log" | "linear";
}

/** Something of a recipe that a search may change. */
export type Lever = Choice | Range;

/** How often a lever is moved at all: the recipe's own settings were somebody's choice, and most are not bad. */
const MOVED = 0.5;
/** How often a lever that is moved is off, where it can be: to be without something is what the verdict looks at. */
const OFF = 0.25;
/** Draws without a new configuration after which there is none left. */
const MOST_DRAWS = 500;

/** What a search may change of a recipe. */
export class Space {
  constructor(readonly levers: readonly Lever[]) {}

  /** A random configuration: about half of the levers moved. */
  sample(random: Random): Configuration {
    const drawn: Record<string, Position> = {};
    for (const lever of this.levers) {
      // A stream of its own, so that another lever more does not change this one.
      const own = random.split(lever.name);
      if (own.uniform() < MOVED) drawn[lever.name] = draw(lever, own);
    }
    return this.normalised(drawn);
  }

  /** The configuration without what has no effect: levers that stand as in the recipe, or that another one idles. */
  normalised(configuration: Configuration): Configuration {
    const kept: Record<string, Position> = {};
    for (const lever of this.levers) {
      const position = configuration[lever.name];
      // The levers before it are settled, and none is idled by one after it.
      if (position === undefined || position === lever.own || this.#isIdle(lever, kept)) continue;
      kept[lever.name] = position;
    }
    return kept;
  }

  /**
   * Where a lever stands: the number that is trained with, also where an option of another one has set it. `null` where
   * it has no effect, as what it sets is gone.
   */
  position(lever: Lever, configuration: Configuration): Position | null {
    if (this.#isIdle(lever, configuration)) return null;
    if (lever.kind === "choice") return configuration[lever.name] ?? lever.own;
    const said = this.overrides(configuration).findLast(({ path }) => startsWith(lever.key, path));
    if (!said) return lever.own;
    const value = valueAtPath(said.value, lever.key.slice(said.path.length));
    return typeof value === "number" ? value : null;
  }

  /** What a configuration changes in the recipe. @throws RangeError for an option that a lever has not */
  overrides(configuration: Configuration): Override[] {
    return this.levers.flatMap((lever): readonly Override[] => {
      const position = configuration[lever.name];
      if (position === undefined) return [];
      if (lever.kind === "choice") {
        const changes = lever.options.get(String(position));
        if (!changes) throw new RangeError(`The lever "${lever.name}" has no option "${position}"`);
        return changes;
      }
      return [{ path: lever.key, value: position, label: `the lever "${lever.name}" at ${position}` }];
    });
  }

  #isIdle({ unless }: Lever, configuration: Configuration): boolean {
    return Object.entries(unless).some(([name, positions]) => {
      const other = this.levers.find((lever) => lever.name === name)!;
      const at = this.position(other, configuration);
      return at !== null && positions.includes(at);
    });
  }
}

function draw(lever: Lever, random: Random): Position {
  const { off, own } = lever;
  if (off !== null && off !== own && random.uniform() < OFF) return off;
  if (lever.kind === "choice") {
    const names = [...lever.options.keys()].filter((name) => name !== off);
    return names.length > 0 ? names[random.below(names.length)] : own;
  }
  return numberAt(lever, random.uniform());
}

/** A number of a range that is likely none of the whole ones. */
export const between = (range: Range): number => numberAt(range, 0.37);

function numberAt({ from, to, scale }: Range, part: number): number {
  const value = scale === "log" ? from * (to / from) ** part : from + (to - from) * part;
  // Three digits are as many as anyone can tell apart.
  return Math.min(to, Math.max(from, +value.toPrecision(3)));
}

/** Each option of each lever, by itself. */
export function optionsOf({ levers }: Space): Record<string, string>[] {
  return levers.flatMap((lever) =>
    lever.kind === "choice" ? [...lever.options.keys()].map((option) => ({ [lever.name]: option })) : []
  );
}

/** The configurations of a search's trials, all different: the recipe itself, then random ones. */
export class Trials {
  readonly #configurations: Configuration[] = [{}];
  readonly #known = new Set(["{}"]);
  #draws = 0;
  readonly #random: Random;

  constructor(private readonly space: Space, seed: number) {
    this.#random = new Random(seed).split("tune");
  }

  /** That of a trial, the same at every call; `null`: there are no more. */
  at(trial: number): Configuration | null {
    let vain = 0;
    while (this.#configurations.length <= trial && vain++ < MOST_DRAWS) {
      const drawn = this.space.sample(this.#random.split(this.#draws++));
      const key = JSON.stringify(drawn);
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.#configurations.push(drawn);
      vain = 0;
    }
    return this.#configurations[trial] ?? null;
  }
}
