/** Rows `[rows, width]` rotated by Givens turns in every pair of neighbouring axes, scaled and moved. */
export function moved(
  rows: Float64Array,
  width: number,
  { scale = 1, shift = 0 }: { scale?: number; shift?: number } = {},
): Float64Array {
  const result = rows.slice();
  for (let begin = 0; begin < result.length; begin += width) {
    for (let axis = 0; axis + 1 < width; axis++) {
      const [x, y] = [result[begin + axis], result[begin + axis + 1]];
      const turn = 0.7 + axis;
      result[begin + axis] = Math.cos(turn) * x - Math.sin(turn) * y;
      result[begin + axis + 1] = Math.sin(turn) * x + Math.cos(turn) * y;
    }
    for (let axis = 0; axis < width; axis++) result[begin + axis] = scale * result[begin + axis] + shift * (axis + 1);
  }
  return result;
}
