import type { Module, Parts, Structure } from "./structure.ts";

/** Tensors of a batch norm. */
const NORM = ["weight", "bias", "running_mean", "running_var"];

/** A number that a list of layers gives to one of them. */
const PLACE = /\.(\d+)(?:\.[a-z]+)?$/;

/**
 * torchvision's names for the tensors of a residual network under other names: of each place by its kind, and in a
 * block in the order of their numbers.
 *
 * @returns by the names that they have; `null` where a tensor has no place, or its place is not certain
 */
export function torchvisionNames({ stem, stages }: Structure): ReadonlyMap<string, string> | null {
  const names = new Map<string, string>();
  const take = ({ tensors }: Module, own: string, parts: readonly string[]): boolean => {
    if (tensors.size !== parts.length || !parts.every((part) => tensors.has(part))) return false;
    for (const part of parts) names.set(tensors.get(part)!.name, `${own}.${part}`);
    return true;
  };
  /** Convolutions without bias, each with a norm behind it of as many channels. */
  const pairs = ({ convolutions, norms, others }: Parts, own: (index: number) => readonly [string, string]): boolean =>
    others.length === 0 && convolutions.length === norms.length && convolutions.every((convolution, index) => {
      const [conv, norm] = own(index);
      const behind = norms[index];
      const [before, after] = [placeOf(convolution), placeOf(behind)];
      const ordered = before === null || after === null || before.list !== after.list ||
        before.place <= after.place && (index === 0 || placeOf(norms[index - 1])!.place < before.place);
      return ordered && channelsOf(convolution) === channelsOf(behind) && take(convolution, conv, ["weight"]) &&
        take(behind, norm, NORM);
    });

  const [head, ...more] = stem.others;
  const isHead = head && more.length === 0 && head.tensors.get("weight")?.shape.length === 2;
  if (!isHead || !take(head, "fc", ["weight", "bias"])) return null;
  if (stem.convolutions.length !== 1 || !pairs({ ...stem, others: [] }, () => ["conv1", "bn1"])) return null;
  for (const [stage, blocks] of stages.entries()) {
    for (const [block, { main, shortcut }] of blocks.entries()) {
      const own = `layer${stage + 1}.${block}`;
      if (!pairs(main, (index) => [`${own}.conv${index + 1}`, `${own}.bn${index + 1}`])) return null;
      if (shortcut.convolutions.length > 1) return null;
      if (!pairs(shortcut, () => [`${own}.downsample.0`, `${own}.downsample.1`])) return null;
      // Behind a pooling the convolution would be another one.
      const place = shortcut.convolutions[0] && placeOf(shortcut.convolutions[0]);
      if (place && place.place !== 0) return null;
    }
  }
  return names;
}

const channelsOf = ({ tensors }: Module) => tensors.get("weight")?.shape[0];

/** The list that a layer is in, and its number there. */
function placeOf({ path }: Module): { readonly list: string; readonly place: number } | null {
  const found = PLACE.exec(path);
  return found && { list: path.slice(0, found.index), place: Number(found[1]) };
}
