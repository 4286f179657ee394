/**
 * The page's worker: the library computes here, so that the page stays alive.
 *
 * @module
 */
import { keep } from "./kept.ts";
import { drop, filesIn, put, textOf } from "./memory.ts";
import { DeviceError, UserError } from "./library.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { describeAdapter, findAdapter } from "../../core/backend/webgpu/adapter.ts";
import { distil } from "./distil.ts";
import { Machine } from "./machine.ts";
import type { Calls, ModelFacts, News, Question, Reply, Sample } from "./messages.ts";
import { orderInTestImages, testImages } from "./test_images.ts";

const RECIPE = "tasks/recipes/quickstart.yaml";
const TEACHER = "plugins/models/data/fashion-resnet20";

const scope = globalThis as unknown as {
  postMessage(message: Reply): void;
  onmessage: (event: { readonly data: Question }) => void;
};

const machine = new Machine();
let stop: AbortController | null = null;
let teacher: ModelFacts | null = null;
/** The names of the test images' classes: those of the teacher that is shipped. */
let testClasses: readonly string[] = [];
/** The folder that is downloaded. */
let student: string | null = null;

const tell = (news: News) => scope.postMessage({ id: null, news });

const calls: Calls = {
  async prepare() {
    await loadFiles();
    const adapter = await findAdapter().catch(() => null);
    const { backend: { description } } = await machine.use("cpu");
    teacher = await machine.take("teacher", TEACHER);
    testClasses = teacher.classes;
    return {
      // The base leads from the recipe's folder to the files; here it stands beside them.
      recipe: (await textOf(RECIPE)).replace(/^base: .*\n/m, ""),
      adapter: adapter && describeAdapter(adapter),
      cpu: description,
      teacher,
    };
  },

  async distil(order) {
    if (stop) throw new UserError("Cannot distil while a run is under way: stop it first");
    stop = new AbortController();
    try {
      const run = await distil(order, machine, stop.signal, tell);
      // One that cannot be opened by itself leaves the one before.
      if (run.teacher) teacher = await machine.take("teacher", run.teacher).catch(() => teacher!);
      // A copy: the next run moves its folder's results away when it begins.
      student = await keep("student", await filesIn(run.student));
      tell({ kind: "line", text: `the student is kept: recipes can name it as ${student}` });
      const { summary, stopped } = run;
      const facts = await machine.take("student", student).catch((error) => {
        if (error instanceof DeviceError) throw error;
        tell({ kind: "warning", text: error.message });
        return null;
      });
      return { summary, stopped, student: facts, teacher: teacher! };
    } finally {
      stop = null;
    }
  },

  stop() {
    stop?.abort();
    return Promise.resolve();
  },

  classify: (who, pixels) => machine.ask(who, pixels),

  async examine(who, count) {
    const order = orderInTestImages(await machine.classesOf(who), testClasses);
    if (order === null) return null;
    const images = (await testImages()).slice(0, count);
    let right = 0, milliseconds = 0;
    for (const { pixels, label } of images) {
      const answer = await machine.ask(who, pixels);
      if (order[answer.decided] === label) right++;
      milliseconds += answer.milliseconds;
    }
    return { accuracy: right / images.length, count: images.length, milliseconds: milliseconds / images.length };
  },

  async samples(round) {
    const images = await testImages();
    return testClasses.flatMap((name, label): Sample[] => {
      const own = images.filter((image) => image.label === label);
      return own.length === 0 ? [] : [{ ...own[round % own.length], label: name }];
    });
  },

  async open(name, files) {
    const config = files.map(({ path }) => path).filter((path) => /(?:^|\/)config\.json$/.test(path))
      .sort((one, other) => one.length - other.length).at(0);
    if (config === undefined) {
      throw new UserError(
        `Cannot open "${name}" as a model: it has no config.json; choose the folder, or its files together`,
      );
    }
    const begin = config.slice(0, -"config.json".length);
    const own = files.filter(({ path }) => path.startsWith(begin))
      .map(({ path, bytes }) => ({ path: path.slice(begin.length), bytes }));
    const folder = await keep(begin.split("/").at(-2) ?? name, own);
    const facts = await machine.take("student", folder).catch(async (error) => {
      await drop(folder);
      throw error;
    });
    student = folder;
    return facts;
  },

  async student() {
    if (student === null) throw new UserError("Cannot download a student as there is none yet: distil one");
    return await filesIn(student);
  },
};

/** Brings the site's files into memory, under the paths that recipes name. */
async function loadFiles(): Promise<void> {
  const files: readonly string[] = await (await loaded("files.json")).json();
  let done = 0;
  await Promise.all(files.map(async (path) => {
    await put(path, new Uint8Array(await (await loaded(`files/${path}`)).arrayBuffer()));
    tell({ kind: "loading", done: ++done, of: files.length });
  }));
}

async function loaded(path: string): Promise<Response> {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new UserError(`Cannot load ${path} of this site: its server answers ${response.status}`);
  return response;
}

scope.onmessage = async ({ data: { id, call, args } }) => {
  try {
    const method = calls[call] as (...args: readonly unknown[]) => Promise<unknown>;
    scope.postMessage({ id, result: await method(...args) });
  } catch (error) {
    const ofUser = error instanceof UserError;
    const known = ofUser || error instanceof TrainingFailure || error instanceof DeviceError;
    const words = error instanceof Error ? error.message : String(error);
    if (!known) console.error(error);
    // What was computed on a lost device is lost; the next run opens another.
    if (error instanceof DeviceError) await machine.close();
    scope.postMessage({ id, failure: known ? words : `Internal error: ${words}`, ofUser });
  }
};
