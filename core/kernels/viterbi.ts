import shader from "../../shaders/viterbi.wgsl" with { type: "text" };
import { perSequence, scoredRows } from "./crf_support.ts";
import { defineKernel } from "./kernel.ts";

/** The most paths that one run can find; the shader keeps so many candidates in registers. */
export const MOST_PATHS = 8;
/** The score of a path that is not there: -1e30 as float32 holds it. */
export const NO_PATH = Math.fround(-1e30);

/**
 * The `paths` best paths of tags through each linear chain, best first. `best [sequences, length, tags, paths]` holds
 * the scores of the best ways to each tag, and `origins` of the same shape where each came from, as i * paths + rank.
 * Out come `scores [sequences, paths]` and `tags [sequences, paths, length]`, -1 where the mask is 0 and on paths
 * beyond the number that there are.
 */
export const viterbiKernel = defineKernel({
  name: "viterbi",
  reads: { emissions: "f32", transitions: "f32", mask: "f32" },
  writes: { best: "f32", origins: "f32", scores: "f32", path: "f32" },
  parameters: { sequences: "u32", length: "u32", tags: "u32", paths: "u32" },
  launch: perSequence(shader),
  operations: (p) => 3 * p.sequences * p.length * p.tags ** 2 * p.paths,
  cpu: ({ emissions, transitions, mask, best, origins, scores, path }, { sequences, length, tags, paths }) => {
    path.fill(-1);
    scores.fill(NO_PATH);
    for (let sequence = 0; sequence < sequences; sequence++) {
      const rows = scoredRows(mask, sequence, length, tags);
      rows.forEach((row, k) => {
        for (let j = 0; j < tags; j++) {
          const target = (row + j) * paths;
          best.fill(NO_PATH, target, target + paths);
          if (k === 0) {
            best[target] = emissions[row + j];
            continue;
          }
          const before = rows[k - 1] * paths;
          for (let from = 0; from < tags * paths; from++) {
            if (best[before + from] === NO_PATH) continue;
            const step = transitions[Math.floor(from / paths) * tags + j];
            insert(best, origins, target, paths, best[before + from] + step + emissions[row + j], from);
          }
        }
      });
      if (rows.length === 0) continue;
      const ends = new Float64Array(paths).fill(NO_PATH);
      const places = new Float64Array(paths);
      const last = rows.at(-1)! * paths;
      for (let from = 0; from < tags * paths; from++) insert(ends, places, 0, paths, best[last + from], from);
      for (let rank = 0; rank < paths && ends[rank] !== NO_PATH; rank++) {
        scores[sequence * paths + rank] = ends[rank];
        let place = places[rank];
        for (const row of rows.toReversed()) {
          const t = row / tags - sequence * length;
          path[(sequence * paths + rank) * length + t] = Math.floor(place / paths);
          place = origins[row * paths + place];
        }
      }
    }
  },
});

/** Puts a score into a list of the `count` best, sorted from the best down; equals stay behind. */
function insert(
  best: Float32Array | Float64Array,
  origins: Float32Array | Float64Array,
  begin: number,
  count: number,
  score: number,
  origin: number,
): void {
  let place = begin + count;
  while (place > begin && score > best[place - 1]) place--;
  if (place === begin + count) return;
  best.copyWithin(place + 1, place, begin + count - 1);
  origins.copyWithin(place + 1, place, begin + count - 1);
  best[place] = score;
  origins[place] = origin;
}
