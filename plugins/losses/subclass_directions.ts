import { UserError } from "../../core/errors.ts";
import type { Random } from "../../core/data/random.ts";
import { multiplyByTransposed, transpose } from "../../core/linalg/matrix.ts";
import { householderQr } from "../../core/linalg/qr.ts";
import { leftSvd } from "../../core/linalg/svd.ts";
import { dot } from "../../core/linalg/vector.ts";

/** A singular value below this part of the largest one is rounding of zero. */
const RANK_TOLERANCE = 1e-6;

/** How embeddings divide each class: an example's place along them is its product with a direction less the offset. */
export interface SubclassDirections {
  /** `[classes, subclasses, width]`, class by class. */
  readonly directions: Float64Array;
  /** `[classes, subclasses]`: the places of the class's mean. */
  readonly offsets: Float64Array;
  /** Root mean square of the examples' places along the directions of their own classes. */
  readonly spread: number;
}

/** The data that directions are computed from. */
export interface SubclassData {
  /** Row-major `[examples, width]`. */
  readonly embeddings: ArrayLike<number>;
  /** The class of each example, -1 for one that is left out. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly width: number;
  readonly subclasses: number;
  /** Orthonormal rows `[any, width]` that the directions are to be orthogonal to. */
  readonly excluded: Float64Array;
  /** Orthonormal `[subclasses, subclasses]`: makes directions of equal expected variance of the principal ones. */
  readonly rotation: Float64Array;
}

/**
 * LELP's directions: for each class the principal directions of its embeddings, rotated. A direction along which a
 * class does not vary, as it has too few examples, is left at zero before the rotation.
 */
export function subclassDirections(data: SubclassData): SubclassDirections {
  const { labels, classes, width, subclasses, rotation } = data;
  const directions = new Float64Array(classes * subclasses * width);
  const offsets = new Float64Array(classes * subclasses);
  let squares = 0;
  for (let label = 0; label < classes; label++) {
    const { mean, principal, variances } = principalDirections(data, label);
    for (const variance of variances) squares += variance;
    const rotated = multiplyByTransposed(
      rotation,
      transpose(principal, subclasses, width),
      subclasses,
      width,
      subclasses,
    );
    directions.set(rotated, label * subclasses * width);
    for (let s = 0; s < subclasses; s++) offsets[label * subclasses + s] = dot(rotated, s * width, mean, 0, width);
  }
  const labelled = Array.from(labels).filter((label) => label >= 0).length;
  return { directions, offsets, spread: Math.sqrt(squares / (labelled * subclasses)) };
}

/** Orthonormal rows that span the rows of a head `[rows, width]`: what it sees of an embedding. */
export function rowSpace(head: Float64Array, rows: number, width: number): Float64Array {
  const { u, singularValues } = leftSvd(transpose(head, rows, width), width, rows);
  const rank = singularValues.filter((value) => value > RANK_TOLERANCE * singularValues[0]).length;
  return transpose(u, width, singularValues.length).subarray(0, rank * width);
}

/** A random orthonormal matrix, each equally likely: Q of a matrix of normal numbers, with R's diagonal positive. */
export function randomRotation(size: number, random: Random): Float64Array {
  const { q, r } = householderQr(Float64Array.from({ length: size * size }, () => random.normal()), size, size);
  return q.map((value, index) => value * Math.sign(r[(index % size) * (size + 1)]));
}

interface PrincipalDirections {
  readonly mean: Float64Array;
  /** `[subclasses, width]`. */
  readonly principal: Float64Array;
  /** Sums of squares along them. */
  readonly variances: readonly number[];
}

function principalDirections(data: SubclassData, label: number): PrincipalDirections {
  const { embeddings, labels, width, subclasses, excluded } = data;
  const members = Array.from(labels).flatMap((own, index) => own === label ? [index] : []);
  const mean = new Float64Array(width);
  for (const member of members) {
    for (let i = 0; i < width; i++) mean[i] += embeddings[member * width + i] / members.length;
  }
  const principal = new Float64Array(subclasses * width);
  const variances = new Array<number>(subclasses).fill(0);
  if (members.length < 2) return { mean, principal, variances };
  const columns = new Float64Array(width * members.length); // [width, members], centred
  members.forEach((member, column) => {
    const row = Float64Array.from(mean, (value, i) => embeddings[member * width + i] - value);
    removeSpan(row, excluded);
    row.forEach((value, i) => columns[i * members.length + column] = value);
  });
  const scatter = multiplyByTransposed(columns, columns, width, width, members.length);
  const total = mean.reduce((sum, _, i) => sum + scatter[i * (width + 1)], 0);
  if (total === 0) return { mean, principal, variances };
  if (!Number.isFinite(total)) throw new UserError("Cannot divide classes: the teacher's embeddings are not finite");
  const { u, singularValues } = leftSvd(scatter, width, width); // u [width, width]
  for (let s = 0; s < Math.min(subclasses, width); s++) {
    // Squares of what has a relative precision of float32.
    if (singularValues[s] <= RANK_TOLERANCE ** 2 * singularValues[0]) break;
    for (let i = 0; i < width; i++) principal[s * width + i] = u[i * width + s];
    variances[s] = singularValues[s];
  }
  return { mean, principal, variances };
}

/** Takes the part along orthonormal rows out of a vector. */
function removeSpan(vector: Float64Array, rows: Float64Array): void {
  const width = vector.length;
  for (let start = 0; start < rows.length; start += width) {
    const along = dot(vector, 0, rows, start, width);
    for (let i = 0; i < width; i++) vector[i] -= along * rows[start + i];
  }
}
