/** The name of an index: a letter in a pattern, any string in the structured form. */
export type Index = string;

/** A contraction by its indices: which ones each operand carries, and which ones the result keeps. */
export interface Notation {
  /** As people write it; messages quote it. */
  readonly pattern: string;
  /** The indices of each operand, one for each of its dimensions. */
  readonly inputs: readonly (readonly Index[])[];
  /** The indices of the result, in the order of its dimensions. */
  readonly output: readonly Index[];
}

const parsed = new Map<string, Notation>();
const structured = new Map<string, Notation>();

/**
 * Reads einsum notation: operands separated by commas, one letter for each dimension, and after `->` the indices of the
 * result. Without `->` the result has the indices that occur once, in alphabetical order, capitals first, as in NumPy.
 * Spaces mean nothing.
 *
 * @throws SyntaxError at other characters, at an index that stands twice in one operand or in the result, or that the
 * result has and no operand
 */
export function parsePattern(pattern: string): Notation {
  let notation = parsed.get(pattern);
  if (!notation) parsed.set(pattern, notation = parse(pattern));
  return notation;
}

/** The same for indices given as lists, which may have names of any length, and more than there are letters. */
export function notationOf(inputs: readonly (readonly Index[])[], output: readonly Index[]): Notation {
  const key = JSON.stringify([inputs, output]);
  let notation = structured.get(key);
  if (!notation) structured.set(key, notation = checked(showPattern(inputs, output), inputs, output));
  return notation;
}

/** `ab,bc->ac`, or with names of several letters `i1 d1, d1 i2 -> i1 i2`. */
export function showPattern(inputs: readonly (readonly Index[])[], output: readonly Index[]): string {
  const short = [...inputs, output].every((indices) => indices.every((index) => index.length === 1));
  if (short) return `${inputs.map((indices) => indices.join("")).join(",")}->${output.join("")}`;
  return `${inputs.map((indices) => indices.join(" ")).join(", ")} -> ${output.join(" ")}`;
}

function parse(pattern: string): Notation {
  const text = pattern.replaceAll(/\s/g, "");
  const sides = text.split("->");
  if (sides.length > 2) throw new SyntaxError(`Cannot read the contraction "${pattern}" as it has more than one "->"`);
  const wrong = sides.join("").match(/[^A-Za-z,]/)?.[0] ?? sides[1]?.match(/,/)?.[0];
  if (wrong !== undefined) {
    throw new SyntaxError(
      `Cannot read the contraction "${pattern}" as indices are letters, with commas between operands: found "${wrong}"`,
    );
  }
  const inputs = sides[0].split(",").map((indices) => [...indices]);
  return checked(pattern, inputs, sides.length === 2 ? [...sides[1]] : occurringOnce(inputs));
}

function occurringOnce(inputs: readonly (readonly Index[])[]): Index[] {
  const all = inputs.flat();
  return all.filter((index) => all.indexOf(index) === all.lastIndexOf(index)).sort();
}

function checked(pattern: string, inputs: readonly (readonly Index[])[], output: readonly Index[]): Notation {
  if (inputs.length === 0) throw new SyntaxError("Cannot contract nothing: there must be at least one operand");
  inputs.forEach((indices, operand) => {
    const twice = repeated(indices);
    if (twice !== undefined) {
      throw new SyntaxError(
        `Cannot contract "${pattern}" as index "${twice}" stands twice in operand ${
          operand + 1
        }: for a diagonal or a ` +
          `trace give the second one another name, and an identity matrix of the two as a further operand`,
      );
    }
  });
  const twice = repeated(output);
  if (twice !== undefined) {
    throw new SyntaxError(`Cannot contract "${pattern}" as index "${twice}" stands twice in the result`);
  }
  const unknown = output.find((index) => !inputs.some((indices) => indices.includes(index)));
  if (unknown !== undefined) {
    throw new SyntaxError(`Cannot contract "${pattern}" as no operand has the index "${unknown}" of the result`);
  }
  return { pattern, inputs, output };
}

function repeated(indices: readonly Index[]): Index | undefined {
  return indices.find((index, place) => indices.indexOf(index) !== place);
}
