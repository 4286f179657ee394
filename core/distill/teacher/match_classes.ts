import { UserError } from "../../errors.ts";
import { areSameClasses, classesLacking, orderOfClasses, sayNothing, showClasses } from "../../plugin/class_names.ts";

/** A model's classes and a data set's. */
export interface ClassMatch {
  /** What the model is, for messages: "teacher", "model". */
  readonly who: string;
  /** The model's names in the order of its logits; none where it does not say them. */
  readonly own: readonly string[];
  /** The data set's. */
  readonly given: readonly string[];
  /** Whether the recipe lists the data set's classes, rather than the data set itself. */
  readonly listed: boolean;
  /** Whether the data set's files number its classes. */
  readonly numbered?: boolean;
  /** Whether the data set's classes may be put in another order. */
  readonly movable: boolean;
  /** Sentences' ends that say what would be right. */
  readonly remedies: {
    /** Where the classes are the same in another order. */
    readonly order: string;
    /** Where they are others. */
    readonly names: string;
  };
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/**
 * Holds a model's classes against a data set's. The same ones in another order are put in the model's, if they may be.
 *
 * @returns the number of the data set's class for each of the model's; `null` where the order is right
 * @throws UserError if it cannot be told which class is which
 */
export function matchClasses(
  { who, own, given, listed, numbered = false, movable, remedies, report }: ClassMatch,
): readonly number[] | null {
  const isNamed = own.length > 0;
  if (isNamed && areSameClasses(own, given)) return null;
  const order = orderOfClasses(own, given);
  const [theirs, ours] = [isNamed ? showClasses(own) : "no names for them", showClasses(given)];
  if (order && !sayNothing(own, given)) {
    if (movable) {
      report(`the classes are in the ${who}'s order: ${showClasses(order.map((number) => given[number]))}`);
      return order;
    }
    throw new UserError(
      `Cannot run a ${who} whose classes are ${theirs} in this order, on a data set in which they are ${ours}: ` +
        `expected ${remedies.order}`,
    );
  }
  if (own.length !== given.length && isNamed) {
    const lacking = classesLacking(own, given);
    const lacks = lacking.length > 0 && lacking.length < own.length ? `, which lacks ${showClasses(lacking)}` : "";
    throw new UserError(
      `Cannot run a ${who} of ${own.length} classes, ${theirs}, on a data set of ${given.length}, ${ours}${lacks}: ` +
        `expected the same ${own.length} in dataset.classes, in the order of the ${who}'s logits`,
    );
  }
  if (listed || (numbered && sayNothing(own, given))) {
    if (isNamed) report(`the ${who}'s classes ${theirs} are taken for ${ours}, in this order`);
    return null;
  }
  // Numbers from 0 on are what logits are numbered by, where nothing else is said.
  if (!isNamed && given.every((name, index) => name === String(index))) return null;
  throw new UserError(
    `Cannot tell which class of the data set is which of the ${who}'s: the ${who} has ${theirs}, the data set ${ours}; ` +
      remedies.names,
  );
}
