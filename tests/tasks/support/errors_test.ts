import assert from "node:assert/strict";
import { CommanderError } from "commander";
import "../../../core/deno/install.ts";
import { Interrupted, NonFiniteLoss } from "../../../core/distill/stops.ts";
import { DeviceError, UserError } from "../../../core/errors.ts";
import { endingOf } from "../../../tasks/support/errors.ts";

Deno.test("a user's mistake is its sentence alone, with exit code 2", () => {
  assert.deepEqual(endingOf(new UserError("Cannot read it"), true), { message: "Cannot read it", code: 2 });
});

Deno.test("Ctrl-C ends with 130, a failed training or device with 1, each with its sentence", () => {
  const stopped = endingOf(new Interrupted(3, 10, "run/state"), false);
  assert.deepEqual(stopped, { message: 'Stopped after step 3 of 10; --resume continues from "run/state"', code: 130 });
  const failed = endingOf(new NonFiniteLoss("its loss is", 4, Uint32Array.of(1, 2), null), false);
  assert.equal(failed.code, 1);
  assert.match(failed.message, /^Stopped at step 4 as its loss is not finite/);
  assert.deepEqual(endingOf(new DeviceError("The GPU was lost"), false), { message: "The GPU was lost", code: 1 });
});

Deno.test("anything else is an internal error, whose stack is shown only if wanted", () => {
  const error = new TypeError("x is undefined");
  assert.deepEqual(endingOf(error, false), { message: "Internal error: x is undefined", code: 1 });
  assert.match(endingOf(error, true).message, /^Internal error: x is undefined\nTypeError: .*\n +at .*errors_test/);
  assert.deepEqual(endingOf("a string", true).code, 1);
});

Deno.test("what the operating system refuses is a user's sentence, wherever it comes from", async () => {
  const refused = await Deno.readTextFile("/nowhere/at/all").catch((error) => error);
  assert.deepEqual(endingOf(refused, false), {
    message: 'Cannot use "/nowhere/at/all" as there is no such file or folder',
    code: 2,
  });
  const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  assert.match(endingOf(full, false).message, /^Cannot use "a file" as the disk is full: free some space, or /);
  const env = new Deno.errors.NotCapable('Requires env access to "HOME", run again with the --allow-env flag');
  assert.deepEqual(endingOf(env, false), {
    message: 'Cannot use "HOME" as Deno was started without the permission for it: start it with --allow-env',
    code: 2,
  });
  const system = new Deno.errors.NotCapable('Requires all access to "/dev/x", run again with the --allow-all flag');
  assert.match(endingOf(system, false).message, /^Cannot use "\/dev\/x" as it belongs to the operating system, which /);
  const worker = new Deno.errors.NotCapable("Can't escalate parent thread permissions");
  assert.deepEqual(endingOf(worker, false), {
    message: "Internal error: Can't escalate parent thread permissions",
    code: 1,
  });
});

Deno.test("usage errors read like the others", () => {
  const cases: [string, string][] = [
    ["error: unknown command 'distil'\n(Did you mean distill?)", 'Unknown command "distil": did you mean "distill"?'],
    [
      "error: unknown option '--sed'\n(Did you mean one of --seed, --set?)",
      'Unknown option "--sed": did you mean "--seed" or "--set"?',
    ],
    ["error: missing required argument 'file'", 'Missing required argument "file"'],
    ["error: too many arguments. Expected 1 argument but got 2.", "Too many arguments. Expected 1 argument but got 2"],
  ];
  for (const [message, expected] of cases) {
    const error = new CommanderError(1, "commander.unknown", message);
    assert.deepEqual(endingOf(error, false), { message: expected, code: 2 });
  }
});

Deno.test("help that was asked for is no error, and a missing verb has no sentence beside the help", () => {
  assert.deepEqual(endingOf(new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), false).code, 0);
  assert.deepEqual(endingOf(new CommanderError(1, "commander.help", "(outputHelp)"), false), { message: "", code: 2 });
});
