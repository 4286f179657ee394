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
  const candidates = Map.groupBy(teacher, groupOf);
  const takers = Map.groupBy(student, groupOf);
  return new Map([...student].map((entry) => {
    const group = groupOf(entry);
    const offered = candidates.get(group) ?? [];
    const among = takers.get(group)!;
    const place = among.findIndex(([name]) => name === entry[0]);
    const share = Math.max(0, Math.floor((place + 1) * offered.length / among.length) - 1);
    return [entry[0], offered[share]?.[0] ?? null];
  }));
}
