import { readDescribedModel } from "../../core/model_folder/read_architecture.ts";
import { type TrainingSize, trainingSize } from "../../core/distill/student/training_size.ts";
import { automaticFactors } from "../../core/mpo/automatic_shapes.ts";
import { chainParameterCount } from "../../core/mpo/shapes.ts";
import { builtins } from "../../plugins/builtins.ts";
import { grouped } from "./format.ts";
import { alignColumns } from "./table.ts";

/** Numbers of cores that are shown where none is asked for. */
const SHOWN = [2, 3, 4, 5, 6, 7, 8];

/** How a model grows with the number of cores in which its matrices are trained. */
export interface ModelSizes {
  readonly file: string;
  readonly architecture: string;
  readonly sizes: readonly (TrainingSize & {
    /** Cores of each chain; 1 is the model as it is. */
    readonly cores: number;
  })[];
}

/**
 * Sizes of a model in training, from its config.json alone: every weight that may be over-parameterised, with factors
 * chosen automatically.
 *
 * @param path model folder, or config.json
 * @param cores numbers of cores to try; a range of them by default
 * @throws UserError if no plug-in builds such a model
 */
export async function modelSizes(path: string, cores: readonly number[] = SHOWN): Promise<ModelSizes> {
  const { file, architecture, model } = await readDescribedModel(path, builtins.model);
  const sizes = cores.map((count) => {
    const size = trainingSize(
      model.parameters,
      (matrix) => {
        if (count === 1) return null;
        const { rows, cols } = automaticFactors({ ...matrix, cores: count });
        return chainParameterCount(rows, cols);
      },
    );
    return { cores: count, ...size };
  });
  return { file, architecture, sizes };
}

/** {@link ModelSizes} for people. */
export function showModelSizes({ file, architecture, sizes }: ModelSizes): string[] {
  const rows = sizes.map(({ cores, matrices, training, parameterIncreaseRate }) => [
    `${cores}`,
    grouped(matrices),
    grouped(training),
    parameterIncreaseRate.toFixed(3),
  ]);
  return [
    `model       ${architecture}, ${file}`,
    `parameters  ${grouped(sizes[0].inference)} at inference`,
    "",
    ...alignColumns([["cores", "chains", "trained", "parameter increase rate"], ...rows], ["right"]),
  ];
}
