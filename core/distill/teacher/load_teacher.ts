import { Owned } from "../../owned.ts";
import type { Ops } from "../../ops/ops.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { sha256 } from "../../sha256.ts";
import { sha256OfWeights } from "../../sha256.ts";
import { ensemble, memberName } from "./ensemble.ts";
import type { TaughtModel } from "../student/initial_weights.ts";
import { freeze } from "../../nn/frozen_weights.ts";
import { type OpenedTeacher, openTeacher } from "./open_teacher.ts";
import { onOwnInputs } from "./on_own_inputs.ts";
import type { OwnInputs } from "./own_inputs.ts";
import type { ResolvedPlugins } from "../resolve_plugins.ts";
import { withoutLabels } from "./teacher_classes.ts";
import type { Teacher } from "./teacher_outputs.ts";

/** A teacher, or several as one, with its weights on the device and as plain numbers. */
export interface LoadedTeacher extends Teacher {
  /** The model; of several teachers their mean. */
  readonly model: Model;
  /** Its weights on the host. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** One hash over its weights, wherever they are, and what files say of how it computes with them. */
  readonly sha256: string;
  /** The first of several teachers, else the teacher: what students start from and are aligned with. */
  readonly first: TaughtModel;
  /** Frees its weights. */
  dispose(): void;
}

type Member = OpenedTeacher & { readonly share: number };

/**
 * Builds the recipe's teachers and reads their weights.
 *
 * @param own what each of them takes, where that is not the student's
 * @param report takes lines for the user
 * @throws UserError with line and column
 */
export async function loadTeacher(
  ops: Ops,
  recipe: Checked<Recipe>,
  { teacher: main, otherTeachers }: ResolvedPlugins,
  data: InputDescription,
  own: readonly (OwnInputs | null)[],
  report: (line: string) => void,
): Promise<LoadedTeacher | null> {
  const settings = recipe.value.teacher;
  if (!main || !settings) return null;
  if (data.task === "embedding" && otherTeachers.length > 0) {
    throw recipe.error(
      ["teacher", "others"],
      "Cannot take several teachers together for vectors of sentences: vectors of different models have no mean",
    );
  }
  using opened = new Owned();
  const members: Member[] = [];
  for (const [index, plugin] of [main, ...otherTeachers].entries()) {
    const { weights, share, classes } = index === 0 ? settings : settings.others[index - 1];
    const inputs = own[index];
    const input = inputs?.input ?? data;
    const member = await openTeacher(ops, recipe, withoutLabels(plugin, classes), weights!, input, report);
    opened.defer(member.dispose);
    members.push({ ...member, model: inputs ? onOwnInputs(member.model, inputs) : member.model, share });
  }
  const [first] = members;
  const { model, numbers } = members.length === 1 ? first : together(members, data);
  const filled = [main, ...otherTeachers].map((plugin) => plugin.filled ?? {});
  const hash = await sha256OfTeacher(numbers, members, own, filled);
  const weights = freeze(ops, model, numbers);
  opened.defer(weights.dispose);
  const owned = opened.move();
  return { model, numbers, sha256: hash, first, weights, dispose: () => owned.dispose() };
}

function together(members: readonly Member[], { task }: InputDescription): TaughtModel {
  const numbers = members.flatMap((member, index) =>
    [...member.numbers].map(([name, values]) => [memberName(index, name), values] as const)
  );
  return { model: ensemble(members, task), numbers: new Map(numbers) };
}

async function sha256OfTeacher(
  numbers: ReadonlyMap<string, Float32Array>,
  members: readonly Member[],
  own: readonly (OwnInputs | null)[],
  filled: readonly Readonly<Record<string, unknown>>[],
): Promise<string> {
  const ofNumbers = await sha256OfWeights(numbers);
  // With other heads, say, the same weights give other outputs.
  const ofMembers = members.map(({ files }, index) => [
    ...files,
    ...own[index] ? [own[index].made] : [],
    ...Object.keys(filled[index]).length > 0 ? [JSON.stringify(filled[index])] : [],
  ]);
  if (members.length === 1 && ofMembers[0].length === 0) return ofNumbers;
  // Of several it is told which one's they are, and by what mean they are one: of taggers it was another once.
  const described = members.length === 1
    ? [ofNumbers, ...ofMembers[0]].join()
    : JSON.stringify(["mean of probabilities", ofNumbers, ofMembers]);
  return await sha256(new TextEncoder().encode(described));
}
