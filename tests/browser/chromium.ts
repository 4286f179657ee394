import puppeteer, { type Browser } from "puppeteer-core";

/** Where systems put Chromium and its relatives. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:/Program Files/Google/Chrome/Application/chrome.exe",
];

/** The path of an installed Chromium; `null` without one. */
export async function findChromium(): Promise<string | null> {
  for (const path of PLACES) {
    if (await Deno.stat(path).then((info) => info.isFile, () => false)) {
      return path;
    }
  }
  return null;
}

/** Starts Chromium without a window, with WebGPU on its software adapter where there is no other. */
export async function startChromium(executablePath: string): Promise<Browser> {
  return await puppeteer.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
    ],
  });
}
