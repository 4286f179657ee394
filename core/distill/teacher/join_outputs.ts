import { UserError } from "../../errors.ts";
import { showJson } from "../../json.ts";
import type { Examples, ExampleSource } from "../../plugin/dataset.ts";
import type { RecordedOutputs } from "../../plugin/model.ts";

/**
 * The record of each example: that of the same id, or that in the same place of its file as the example's in the
 * data's. So it does not matter which examples are held out, left out or drawn.
 *
 * @param name of the examples, for messages: `training`
 * @throws UserError if an example has no record or two, or it cannot be told which it is
 */
export function joinOutputs({ source }: Examples, outputs: RecordedOutputs, name: string): Uint32Array {
  const { file, ids } = outputs;
  if (!source) {
    throw new UserError(
      `Cannot join the outputs in "${file}" to the ${name} examples as the data set does not say which record of a file ` +
        "each of them is",
    );
  }
  return ids ? byId(source, outputs, ids, name) : inOrder(source, outputs, name);
}

function inOrder({ file: data, records, record }: ExampleSource, outputs: RecordedOutputs, name: string): Uint32Array {
  const { file } = outputs;
  if (data === null) {
    throw new UserError(
      `Cannot join the outputs in "${file}" by their order as the ${name} examples come from several files: use key: id`,
    );
  }
  const count = recordsOf(outputs);
  if (count === records) return record;
  throw new UserError(
    `Cannot join the ${count} outputs in "${file}" to the ${records} records of "${data}" by their order: expected one for ` +
      "each, or key: id",
  );
}

function byId(
  { ids: wanted, record, file: data }: ExampleSource,
  { file, place }: RecordedOutputs,
  ids: readonly string[],
  name: string,
): Uint32Array {
  if (!wanted) {
    throw new UserError(
      `Cannot join the outputs in "${file}" by id as not every one of the ${name} examples has an id: name the data's column ` +
        "of ids with dataset.id, or use key: row",
    );
  }
  const places = new Map<string, number>();
  ids.forEach((id, index) => {
    const before = places.get(id);
    if (before !== undefined) {
      throw new UserError(
        `Cannot use "${file}" as ${place(before)} and ${place(index)} have the same id ${
          showJson(id)
        }: expected one each`,
      );
    }
    places.set(id, index);
  });
  return Uint32Array.from(wanted, (id, example) => {
    const found = places.get(id);
    if (found !== undefined) return found;
    const where = data === null ? "" : ` (record ${record[example] + 1} of "${data}")`;
    throw new UserError(`Cannot find the outputs of the example with the id ${showJson(id)}${where} in "${file}"`);
  });
}

/** How many records there are. */
export function recordsOf({ ids, logits, width }: RecordedOutputs): number {
  return ids?.length ?? logits.length / width;
}
