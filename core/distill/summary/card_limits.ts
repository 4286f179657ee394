import { wilsonInterval } from "../../evaluate/metrics/interval.ts";
import { inline } from "../../model_folder/card_file.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import { listWords } from "../../recipe/words.ts";
import type { CardFacts } from "./card_facts.ts";
import { counted, grouped, percent } from "./card_words.ts";
import type { RunSummary } from "./summary.ts";

/** A class of which fewer examples were measured says little. */
const FEW = 30;

/** What a reader must know before they rely on it; each with its number where it was measured. */
export function limitsOf({ input, summary, config }: CardFacts): string[] {
  const { student, teacher, labelled } = summary;
  const { task } = input;
  const points: string[] = [];
  if (task === "classification" && student.accuracy !== null) {
    const [low, high] = wilsonInterval(Math.round(student.accuracy * labelled.test), labelled.test).map(percent);
    points.push(
      `Measured: of ${counted(labelled.test, "test example")} ${
        percent(student.accuracy)
      } are right. Other examples of ` +
        `the same kind would give ${low} to ${high} (95 % interval by Wilson's score).`,
    );
  }
  if (teacher && typeof teacher.accuracy === "number" && student.accuracy !== null) {
    const difference = 100 * (student.accuracy - teacher.accuracy);
    const side = difference < 0 ? "below" : "above";
    points.push(`Measured: accuracy is ${Math.abs(difference).toFixed(2)} points ${side} the teacher's.`);
  }
  const scored = (student.classes ?? []).filter(({ examples }) => examples > 0);
  const worst = scored.toSorted((a, b) => (a.recall ?? 0) - (b.recall ?? 0))[0];
  if (scored.length > 2) {
    points.push(
      `Measured: it finds least of ${inline(worst.label)}, ${percent(worst.recall ?? 0)} of ` +
        `${counted(worst.examples, task === "tagging" ? "token" : "example")}.`,
    );
  }
  const few = (student.classes ?? []).filter(({ examples }) => examples < FEW).map(({ label }) => inline(label));
  if (few.length > 0) {
    points.push(
      `Fewer than ${FEW} ${task === "tagging" ? "tokens" : "examples"} of the test are of ${
        listWords(few.slice(0, 8), "and")
      }` +
        `${few.length > 8 ? ` and ${few.length - 8} other classes` : ""}: what is measured of them says little.`,
    );
  }
  points.push(inputLimit(input));
  points.push(copiesLimit(summary));
  points.push("One seed was run; another seed gives other numbers, by how much was not measured here.");
  points.push(
    "Not measured: examples of other origin, changed or hostile ones, calibration of its probabilities, and whether it " +
      "treats groups of people alike. It may have its teacher's mistakes and those of its data.",
  );
  if (config.crf === true) {
    points.push(
      "Its tags are decoded by a conditional random field, which programs that read the logits alone leave out.",
    );
  }
  return points.map((point) => `- ${point}`);
}

function inputLimit({ image, text }: InputDescription): string {
  if (text) {
    return `It takes ${
      grouped(text.maxLength)
    } tokens at most; what is beyond was cut off, in training and in the test.`;
  }
  const [height, width, channels] = image!.size;
  return `It takes images of ${height} × ${width} pixels with ${
    counted(channels, "channel")
  }; others are brought to that ` +
    "size, and details are lost.";
}

function copiesLimit({ testCopies, examples: { test } }: RunSummary): string {
  if (testCopies === undefined) {
    return "How many examples of the test are copies of training examples was not counted.";
  }
  if (testCopies === 0) {
    return "No test example is a copy of a training example; nearly equal ones were not looked for.";
  }
  return `Measured: ${grouped(testCopies)} of ${counted(test, "test example")} ${
    testCopies === 1 ? "is a copy" : "are copies"
  } ` +
    "of training examples: what is measured on these says nothing of new ones. Nearly equal ones were not looked for.";
}
