import assert from "node:assert/strict";
import { Asha, type Job } from "../../../tasks/tune/asha.ts";

const always = () => true;

/** Reports what a trial scores, here its number in a list, for each job in turn. */
function carryOut(asha: Asha, jobs: number, score: (job: Job) => number | null): string[] {
  const done: string[] = [];
  for (let i = 0; i < jobs; i++) {
    const job = asha.next(always)!;
    asha.report(job, score(job));
    done.push(`${job.trial}@${job.rung}`);
  }
  return done;
}

Deno.test("of every three trials on a rung the best goes on, the highest rung first", () => {
  const asha = new Asha({ rungs: 3 });
  // By hand: whoever is the best third of what is there goes on at once, also where a better one comes later.
  const scores = [1, 3, 2, 4, 9, 5, 6, 8, 7];
  const done = carryOut(asha, 16, ({ trial }) => scores[trial]);
  assert.deepEqual(done, [
    ...["0@0", "1@0", "2@0", "1@1"],
    ...["3@0", "3@1", "4@0", "4@1", "4@2"],
    ...["5@0", "5@1", "6@0", "6@1", "7@0", "7@1", "7@2"],
  ]);
  assert.equal(asha.best, 4);
  assert.deepEqual(asha.scores(4), [9, 9, 9]);
  assert.deepEqual(asha.scores(3), [4, 4]);
  assert.deepEqual(asha.scores(0), [1]);
});

Deno.test("what waits on a higher rung goes first", () => {
  const asha = new Asha({ rungs: 3 });
  const begun = Array.from({ length: 12 }, () => asha.next(always)!);
  for (const job of begun.slice(0, 9)) asha.report(job, job.trial);
  const second = [asha.next(always)!, asha.next(always)!, asha.next(always)!];
  assert.deepEqual(second.map(({ trial, rung }) => [trial, rung]), [[8, 1], [7, 1], [6, 1]]);
  for (const job of [...second, ...begun.slice(9)]) asha.report(job, job.trial);
  // On the lowest rung 9, 10 and 11 are among the best four now.
  assert.deepEqual(asha.next(always), { trial: 8, rung: 2 });
  assert.deepEqual(asha.next(always), { trial: 11, rung: 1 });
});

Deno.test("workers ask and report in any order, and no piece of work is given out twice", () => {
  const asha = new Asha({ rungs: 3 });
  const given = new Set<string>();
  const atWork: Job[] = [];
  for (let turn = 0; turn < 200; turn++) {
    // Seven at work, of which the one in the middle is done first.
    while (atWork.length < 7) {
      const job = asha.next(always)!;
      assert.ok(!given.has(`${job.trial}@${job.rung}`));
      given.add(`${job.trial}@${job.rung}`);
      assert.equal(asha.scores(job.trial).length, job.rung, "a trial goes from rung to rung");
      atWork.push(job);
    }
    const [job] = atWork.splice(3, 1);
    asha.report(job, (job.trial * 37) % 101);
  }
  const onTop = [...given].filter((job) => job.endsWith("@2")).length;
  assert.ok(onTop >= 10, `${onTop} of 200 reports`);
});

Deno.test("a lost trial goes no further, and counts among those that were compared", () => {
  const asha = new Asha({ rungs: 2 });
  const done = carryOut(asha, 5, ({ trial }) => trial === 2 ? null : trial === 1 ? NaN : 0.5);
  assert.deepEqual(done, ["0@0", "1@0", "2@0", "0@1", "3@0"]);
  assert.equal(asha.best, 0);
  assert.deepEqual(asha.scores(1), [null]);
});

Deno.test("the first goes to the top whatever it scores", () => {
  const asha = new Asha({ rungs: 3, unconditional: 1 });
  assert.deepEqual(carryOut(asha, 5, ({ trial }) => trial), ["0@0", "0@1", "0@2", "1@0", "2@0"]);
});

Deno.test("nothing is begun that cannot be ended, and then the best of those that wait go on", () => {
  const asha = new Asha({ rungs: 2 });
  carryOut(asha, 2, ({ trial }) => trial);
  // Time for what was begun, and for no new trial.
  const begun = ({ rung }: Job) => rung === 1;
  assert.deepEqual(asha.next(begun), { trial: 1, rung: 1 });
  assert.deepEqual(asha.next(begun), { trial: 0, rung: 1 });
  assert.equal(asha.next(begun), null);
  assert.equal(asha.begun, 2);
});

Deno.test("with one rung it is random search; what nobody asked for is refused", () => {
  const asha = new Asha({ rungs: 1 });
  assert.deepEqual(carryOut(asha, 3, ({ trial }) => trial), ["0@0", "1@0", "2@0"]);
  assert.equal(asha.best, 2);
  assert.throws(() => asha.report({ trial: 7, rung: 0 }, 1), RangeError);
  assert.throws(() => new Asha({ rungs: 0 }), RangeError);
  assert.throws(() => new Asha({ rungs: 2, reduction: 1 }), RangeError);
});
