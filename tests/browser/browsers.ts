/// <reference lib="dom" />
import { join } from "node:path";
import puppeteer, { type Browser } from "puppeteer-core";
import { ALL_ROOMS, KERNEL_ROOMS } from "./suite_files.ts";

/** What a run of the suite is to show. */
export interface SuiteRun {
  readonly name: string;
  /** Whose tests are run. */
  readonly rooms: readonly string[];
  /** Of the suite, as `deno test` takes them. */
  readonly args: readonly string[];
  /** Whether the page's threads may share memory. */
  readonly isolated: boolean;
}

/** A browser that the tests can be run in. */
export interface BrowserKind {
  readonly name: string;
  /** Where systems put it, under its name or a relative's. */
  readonly places: readonly string[];
  /** Starts it without a window, with WebGPU on a software adapter where there is no other. */
  start(executablePath: string): Promise<Browser>;
  /** Opens a page that tells by itself how it gets on, until it is disposed of. */
  visit(browser: Browser, executablePath: string, address: string): Promise<AsyncDisposable>;
  readonly runs: readonly SuiteRun[];
}

/** A software adapter takes long to compile what hardware runs, so that the kernels alone are tried so. */
const onWebGpu: readonly SuiteRun[] = [
  { name: "as the adapter is", rooms: ALL_ROOMS, args: ["--only=webgpu"], isolated: true },
  {
    name: "default limits, traits of hardware",
    rooms: KERNEL_ROOMS,
    args: ["--only=webgpu", "--limits=default", "--traits=hardware"],
    isolated: true,
  },
];

/** WebGPU where Firefox does not offer it yet. */
const FIREFOX_SETTINGS = {
  "dom.webgpu.enabled": true,
  "dom.webgpu.workers.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
};

/**
 * A Firefox that nobody drives. While one is driven, a worker that starts another one stops for good about once in
 * fifty times (seen in 153, in `new Worker`), and the suite starts hundreds.
 */
async function startFirefoxAlone(executablePath: string, address: string): Promise<AsyncDisposable> {
  const profile = await Deno.makeTempDir();
  const settings = Object.entries(FIREFOX_SETTINGS).map(([key, value]) => `user_pref("${key}", ${value});\n`);
  await Deno.writeTextFile(join(profile, "user.js"), settings.join(""));
  const child = new Deno.Command(executablePath, {
    args: ["--headless", "--no-remote", "--profile", profile, address],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
      await Deno.remove(profile, { recursive: true });
    },
  };
}

/** By the names that `--browser` takes. */
export const BROWSERS: Readonly<Record<string, BrowserKind>> = {
  chromium: {
    name: "Chromium",
    places: [
      "/usr/bin/chromium",
      "/usr/bin/chromium-browser",
      "/usr/bin/google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "C:/Program Files/Google/Chrome/Application/chrome.exe",
    ],
    start: (executablePath) =>
      puppeteer.launch({
        executablePath,
        headless: true,
        args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
      }),
    visit: async (browser, _path, address) => {
      const page = await browser.newPage();
      await page.goto(address);
      return { [Symbol.asyncDispose]: () => page.close() };
    },
    // The cpu backend computes in the page's checks, in the engine that Deno has, too.
    runs: onWebGpu,
  },
  firefox: {
    name: "Firefox",
    places: [
      "/usr/bin/firefox-esr",
      "/usr/bin/firefox",
      "/Applications/Firefox.app/Contents/MacOS/firefox",
      "C:/Program Files/Mozilla Firefox/firefox.exe",
    ],
    start: (executablePath) =>
      puppeteer.launch({
        browser: "firefox",
        executablePath,
        headless: true,
        extraPrefsFirefox: FIREFOX_SETTINGS,
      }),
    visit: (_browser, executablePath, address) => startFirefoxAlone(executablePath, address),
    runs: [
      ...onWebGpu,
      { name: "cpu", rooms: ALL_ROOMS, args: ["--only=cpu"], isolated: true },
      { name: "cpu, without isolation", rooms: ALL_ROOMS, args: ["--only=cpu"], isolated: false },
    ],
  },
};

/** The path of an installed browser; `null` without one. */
export async function findBrowser({ places }: BrowserKind): Promise<string | null> {
  for (const path of places) {
    if (await Deno.stat(path).then((info) => info.isFile, () => false)) return path;
  }
  return null;
}

/** Why there is no WebGPU on a page of this address; `null` if there is. */
export async function whyNoWebGpu(browser: Browser, address: string): Promise<string | null> {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    return await page.evaluate(async () => {
      if (!("gpu" in navigator)) return "this browser has no WebGPU";
      return await navigator.gpu.requestAdapter() ? null : "WebGPU finds no adapter";
    });
  } finally {
    await page.close();
  }
}
