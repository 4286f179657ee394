import type { Normalisation } from "../../core/data/image_augment.ts";
import { UserError } from "../../core/errors.ts";
import { listWords } from "../../core/recipe/words.ts";
import type { Asking } from "./asking.ts";
import type { TeacherFlags } from "./teacher.ts";

/** How pixels may have been normalised for a model. */
const PIXELS = ["imagenet", "0..1", "-1..1", "0..255"] as const;
export type Pixels = typeof PIXELS[number];

/** What a teacher's numbers may be. */
const ANSWERS = ["logits", "probabilities"] as const;
export type Answers = typeof ANSWERS[number];

/** How a teacher's pixels were normalised, which its file does not say. @throws UserError if nobody says it */
export function toldPixels(teacher: string, { teacherPixels: given }: TeacherFlags, asking: Asking): Pixels {
  if (given !== undefined) return known("--teacher-pixels", given, PIXELS);
  return asking.choose({
    question: "With which pixels was the teacher trained? (imagenet: normalised as torchvision's and timm's models)",
    cannot: `--teacher ${teacher}: Cannot tell with which pixels it was trained`,
    flag: "--teacher-pixels RANGE",
    choices: PIXELS,
  }) as Pixels;
}

/** Whether a teacher gives logits or probabilities, where a flag says it. @throws UserError for another word */
export function toldAnswers({ teacherAnswers: given }: TeacherFlags): Answers | null {
  return given === undefined ? null : known("--teacher-answers", given, ANSWERS);
}

function known<Word extends string>(flag: string, given: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === given);
  if (word !== undefined) return word;
  throw new UserError(`${flag} ${given}: Expected ${listWords(words, "or")}`);
}

/** Mean and deviation of pixels from 0 to 1 that bring them into a range. */
export function normalisationOf(pixels: Pixels, channels: number): Normalisation {
  const each = (mean: number, std: number) => ({ mean: Array(channels).fill(mean), std: Array(channels).fill(std) });
  if (pixels === "0..1") return each(0, 1);
  if (pixels === "-1..1") return each(0.5, 0.5);
  if (pixels === "0..255") return each(0, 1 / 255);
  if (channels === 3) return { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  throw new UserError(
    `--teacher-pixels imagenet: Cannot normalise images of ${channels} channel${
      channels === 1 ? "" : "s"
    } so: expected ` +
      "another range, as ImageNet's pictures have 3",
  );
}
