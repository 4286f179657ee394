import assert from "node:assert/strict";
import { columnsOf, phraseTags, sentencesOf, tokensOf } from "../../../tasks/support/phrases.ts";

/** Words with their parts of speech, and the tags that they should get. */
const phrases = (tagged: string) => phraseTags(tagged.split(" ").map((word) => word.split("/")[1])).join(" ");

Deno.test("sentences end at full stops before a capital, not after titles and initials", () => {
  assert.deepEqual(
    sentencesOf("Mr. Speaker, we  won. It’s over!\nIs the U.S. Senate in? Yes, John F. Kennedy said so."),
    [
      "Mr. Speaker, we won.",
      "It's over!",
      "Is the U.S. Senate in?",
      "Yes, John F. Kennedy said so.",
    ],
  );
});

Deno.test("tokens are those of the Penn treebank", () => {
  assert.deepEqual(tokensOf("Mr. Smith isn't paying $1.5 billion, the people's 21st-century U.S. debt."), [
    ..."Mr. Smith is n't paying $ 1.5 billion , the people 's".split(" "),
    ..."21st-century U.S. debt .".split(" "),
  ]);
});

Deno.test("a noun phrase holds determiner, adjectives, participles between them and nouns", () => {
  assert.equal(phrases("the/DT lowest/JJS rising/VBG cost/NN"), "B-NP I-NP I-NP I-NP");
  assert.equal(phrases("very/RB large/JJ cuts/NNS"), "B-NP I-NP I-NP");
  assert.equal(phrases("We/PRP rising/VBG costs/NNS"), "B-NP B-VP B-NP");
});

Deno.test("a possessive mark begins a phrase of its own with the nouns after it", () => {
  assert.equal(phrases("the/DT country/NN 's/POS next/JJ year/NN"), "B-NP I-NP B-NP I-NP I-NP");
});

Deno.test("a verb phrase holds auxiliaries, adverbs and infinitives; to before a noun is a preposition", () => {
  assert.equal(phrases("has/VBZ never/RB been/VBN asked/VBN to/TO go/VB"), "B-VP I-VP I-VP I-VP I-VP I-VP");
  assert.equal(phrases("to/TO our/PRP$ cities/NNS"), "B-PP B-NP I-NP");
});

Deno.test("adjectives and adverbs alone are phrases, and signs and conjunctions are outside", () => {
  assert.equal(phrases("is/VBZ strong/JJ ,/, and/CC now/RB ./."), "B-VP B-ADJP O O B-ADVP O");
});

Deno.test("every word gets a tag, known or not", () => {
  assert.deepEqual(phraseTags(["UH", "FW", "NN", "''"]), ["O", "O", "B-NP", "O"]);
  assert.deepEqual(phraseTags([]), []);
});

Deno.test("sentences are taken evenly over a text, those of unusual length or signs left out", () => {
  const text = "One two three four five. Six [Applause] seven eight nine ten. No. A b c d e f. G h i j k l. M n o p q.";
  const nouns = (tokens: string[]) => tokens.map((token) => token === "." ? "." : "NN");
  const first = (count: number) => columnsOf(text, count, nouns).split("\n\n").filter(Boolean).map((lines) => lines[0]);
  assert.deepEqual(first(4), ["O", "A", "G", "M"]);
  assert.deepEqual(first(2), ["O", "G"]);
  assert.ok(columnsOf(text, 1, nouns).startsWith("One B-NP\ntwo I-NP\n"));
  assert.ok(columnsOf(text, 1, nouns).endsWith("five I-NP\n. O\n\n"));
  assert.throws(() => columnsOf(text, 5, nouns), {
    name: "UserError",
    message: "Cannot take 5 sentences of a text that has 4 ordinary ones",
  });
});
