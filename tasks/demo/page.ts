/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="dom.asynciterable" />
/**
 * The page: what is shown, and what its controls do. The computing is the worker's.
 *
 * @module
 */
import { Asking } from "./asking.ts";
import { Distilling } from "./distilling.ts";
import { Folders } from "./folders.ts";
import { element, wordsOf } from "./elements.ts";
import { Remote } from "./remote.ts";

const machine = element("machine", HTMLParagraphElement);
const remote = new Remote((news) => {
  if (news.kind === "loading") machine.textContent = `Loading data and teacher: ${news.done} of ${news.of} files…`;
  else distilling.hear(news);
});
const asking = new Asking(remote);
const distilling = new Distilling(remote, ({ teacher, student }) => {
  asking.take("teacher", teacher);
  if (student) asking.take("student", student);
  folders.enable();
});
const folders = new Folders(remote, (student) => asking.take("student", student));

try {
  const { recipe, adapter, cpu, teacher } = await remote.call("prepare");
  const gpu = adapter === null ? "no WebGPU adapter was found" : `WebGPU: ${adapter}`;
  const isolated = crossOriginIsolated ? "" : " (one thread, as this server does not isolate the page)";
  machine.textContent = `${gpu}. Without it: ${cpu}${isolated}.`;
  distilling.enable(recipe, adapter !== null);
  asking.take("teacher", teacher);
  await asking.enable();
} catch (error) {
  machine.classList.add("error");
  machine.textContent = wordsOf(error);
}
document.body.dataset.state = "ready";
