import { groupBy } from "../../core/group_by.ts";
import { layerShare } from "../../core/nn/layer_share.ts";

/** `layer1.*.conv1.weight` for `layer1.0.conv1.weight`: the position in the network left out. */
const withoutPosition = (name: string) => name.replaceAll(/(?<=^|\.)\d+(?=\.|$)/g, "*");

/**
 * Pairs each of the student's weights with one of the teacher's: among those of equal shape and equal name but for the
 * position, the student's i-th of n gets the teacher's (i + 1) N / n - 1 of N, the last of its share (OPDF, appendix
 * D.2: student layer i and teacher layer 2 i + 1 where the teacher has twice as many).
 *
 * @returns for each student name the teacher's name, or `null` where no candidate has the shape
 */
export function automaticLayerMap(
  student: ReadonlyMap<string, readonly number[]>,
  teacher: ReadonlyMap<string, readonly number[]>,
): Map<string, string | null> {
  const groupOf = ([name, shape]: [string, readonly number[]]) => `${withoutPosition(name)} ${shape.join("x")}`;
  const candidates = groupBy(teacher, groupOf);
  const takers = groupBy(student, groupOf);
  return new Map([...student].map((entry) => {
    const group = groupOf(entry);
    const offered = candidates.get(group) ?? [];
    const among = takers.get(group)!;
    const place = among.findIndex(([name]) => name === entry[0]);
    const last = layerShare(place, among.length, offered.length).end - 1;
    return [entry[0], offered[Math.max(0, last)]?.[0] ?? null];
  }));
}

/** `bert.encoder.layer.0` of `bert.encoder.layer.0.output.dense.weight`: up to the first position. */
const layerOf = (name: string) => /^.*?(?:^|\.)\d+(?=\.|$)/.exec(name)?.[0] ?? name;

/**
 * Pairs of names for the user; where several weights of one layer have partners in one layer, only the layers are
 * named.
 */
export function showPairs(pairs: readonly (readonly [student: string, teacher: string])[]): string {
  const byLayers = groupBy(pairs, ([student, teacher]) => `${layerOf(student)}.* with ${layerOf(teacher)}.*`);
  return [...byLayers].map(([layers, group]) => {
    if (group.length === 1) return `${group[0][0]} with ${group[0][1]}`;
    return `${layers} (${group.length} weights)`;
  }).join(", ");
}
