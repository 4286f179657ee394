import assert from "node:assert/strict";
import { mail } from "../../../plugins/datasets/mail.ts";
import { mailText, textOfHtml } from "../../../plugins/datasets/text/mail_text.ts";
import { loadTexts } from "../../support/text_setup.ts";

const message = (subject: string, body: string, type = "text/plain") =>
  `Received: by mx.secret.example\r\nSubject: ${subject}\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n${body}\r\n`;

Deno.test("of a message its subject and text are read, not its way", async () => {
  assert.equal(await mailText(message("Lunch", "At  noon\r\n\r\n- Ann")), "Lunch At noon - Ann");
  assert.equal(await mailText(message("=?utf-8?Q?caf=C3=A9?=", "x")), "caf\u00e9 x");
  assert.equal(
    await mailText(message("Buy", "<b>Now</b><style>p{}</style> &amp; here", "text/html")),
    "Buy Now & here",
  );
});

Deno.test("HTML loses its tags, scripts and comments; entities become letters", () => {
  assert.equal(
    textOfHtml("a<br>b<!-- <i> --><script>if (a<b) {}</script>&#65;&#x42;&unknown;").trim(),
    "a b  AB&unknown;",
  );
});

Deno.test("what does not end in HTML stays, and is read once however often it begins", () => {
  for (const start of ["<!-- ", "<script ", "<style ", "<"]) {
    // Looked for from each beginning on, the end would take minutes to be missed.
    const endless = start.repeat(100_000);
    assert.equal(textOfHtml(`a<b>${endless}`), `a ${endless}`);
  }
  const mixed = "1<!--2<script>-->3<SCRIPT>4<!--</script >5<style>6</style>7<!-->8<scripts>9<style>10";
  assert.equal(textOfHtml(mixed).replaceAll(/\s+/g, " "), "1 3 5 7 8 9 10");
});

Deno.test("a message with too many parts in each other is bad, not an error of ours", async () => {
  const nested = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(300);
  assert.equal(await mailText(nested), null);
});

Deno.test("folders are classes; messages without text are refused, or left out and told", async () => {
  const files: Record<string, string> = { "mails/readme": "no message", "mails/ham/empty": message("", "") };
  for (let i = 0; i < 8; i++) {
    files[`mails/ham/${i}`] = message(`note ${i}`, "see you");
    files[`mails/junk/${i}`] = message(`offer ${i}`, "buy now");
  }
  const options = {
    folder: "mails",
    classes: { ham: ["ham"], spam: ["junk"] },
    vocabularySize: 60,
    maxLength: 16,
    onBad: "skip",
  };
  const { input, splits, skipped } = await loadTexts(mail, options, files);
  const reason = "its text is empty";
  assert.deepEqual(skipped, [{ file: "mails", count: 1, first: [`the message "ham/empty": ${reason}`] }]);
  await assert.rejects(() => loadTexts(mail, { ...options, onBad: "refuse" }, files), {
    message:
      `Cannot use the message "ham/empty" of "mails" as ${reason}: mend it, leave it out, or set onBad to skip, ` +
      "which leaves such examples out",
  });
  assert.deepEqual(input.classes, ["ham", "spam"]);
  assert.deepEqual([splits.train.length, splits.test.length], [12, 4]);
  assert.deepEqual([...splits.test.labels!].sort(), [0, 0, 1, 1]);
  const wrong = { ...options, classes: { ham: ["ham"], spam: ["spam"] } };
  await assert.rejects(() => loadTexts(mail, wrong, files), {
    name: "UserError",
    message: 'Cannot find the folder "spam" of classes: there are ham, junk',
  });
});

/** Messages by the number of them in each folder. */
const folders = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([folder, count]) =>
      Array.from({ length: count }, (_, i) => [`mails/${folder}/${i}`, message(`${folder} ${i}`, "see you")])
    ),
  );
const small = { folder: "mails", vocabularySize: 60, maxLength: 16 };

Deno.test("a folder that is named twice is refused", async () => {
  const files = folders({ a: 4, b: 4 });
  const refused = (classes: Record<string, string[]>, where: string) =>
    assert.rejects(() => loadTexts(mail, { ...small, classes }, files), {
      name: "UserError",
      message: `Cannot put the folder "a" in the class ${where}: it must be in one, once`,
    });
  await refused({ ham: ["a"], spam: ["a", "b"] }, '"ham" and in "spam"');
  await refused({ ham: ["a", "a"], spam: ["b"] }, '"ham" twice');
});

Deno.test("a class without a training message is refused, one without a test message is told", async () => {
  const classes = { ham: ["a"], spam: ["b"] };
  const empty = { ...folders({ a: 8 }), "mails/b/0": message("", "") };
  await assert.rejects(() => loadTexts(mail, { ...small, classes, onBad: "skip" }, empty), {
    name: "UserError",
    message: 'Cannot learn the class "spam" from "mails": no training message shows it',
  });
  const { warnings } = await loadTexts(mail, { ...small, classes }, folders({ a: 8, b: 1 }));
  assert.deepEqual(warnings, [
    'the split "test" has no message of "spam": what is measured on it says nothing of that',
  ]);
  // Where texts become vectors, classes are not learned.
  const vectors = await loadTexts(mail, { ...small, classes, task: "embedding" }, folders({ a: 8, b: 1 }));
  assert.equal(vectors.warnings, undefined);
});

Deno.test("a package that cannot be imported is refused in one sentence", async () => {
  const options = { package: "npm:@", classes: { a: ["a"], b: ["b"] } };
  await assert.rejects(() => loadTexts(mail, options, {}), {
    name: "UserError",
    message: /^Cannot load the messages of "npm:/,
  });
});
