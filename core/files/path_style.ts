/** How paths are written, and what is done with them. Nothing here asks what there is on a disk. */
export interface PathStyle {
  join(...parts: string[]): string;
  dirname(path: string): string;
  basename(path: string): string;
  isAbsolute(path: string): boolean;
  /** @param workingFolder an absolute path, which the first of the parts counts from */
  resolve(workingFolder: string, ...parts: string[]): string;
  /** @param from an absolute path, as `to` */
  relative(from: string, to: string): string;
  /** @param path an absolute path */
  fileAddress(path: string): string;
}

/** What tells one way to write paths from another. */
interface Grammar {
  readonly separator: "/" | "\\";
  /** One of the separators that are understood. */
  readonly separators: RegExp;
  /** Begin of a path: a drive, or a host and its share; `""` where there are none. */
  device(path: string): string;
  /** What parts are compared by. */
  fold(part: string): string;
}

const posix: Grammar = { separator: "/", separators: /\//, device: () => "", fold: (part) => part };

const windows: Grammar = {
  separator: "\\",
  separators: /[\\/]/,
  device: (path) => path.match(/^(?:[\\/]{2}[^\\/]+[\\/]+[^\\/]+|[A-Za-z]:)/)?.[0] ?? "",
  fold: (part) => part.toLowerCase(),
};

/** The ways to write paths. */
export const pathStyles: Readonly<Record<"posix" | "windows", PathStyle>> = {
  posix: styleOf(posix),
  windows: styleOf(windows),
};

function styleOf({ separator, separators, device: deviceOf, fold }: Grammar): PathStyle {
  const isSeparator = (letter: string | undefined) => letter !== undefined && separators.test(letter);

  const parse = (path: string) => {
    const device = deviceOf(path);
    const isShare = device.length > 2;
    const rest = path.slice(device.length);
    const shown = isShare ? separator.repeat(2) + partsOf(device).join(separator) : device;
    return { device: shown, isAbsolute: isShare || isSeparator(rest[0]), rest };
  };

  const partsOf = (path: string): string[] => path.split(separators).filter((part) => part !== "");

  /** Parts without `.`, and without `..` where there is something to go up from. */
  const reduced = (path: string, isAbsolute: boolean): string[] => {
    const parts: string[] = [];
    for (const part of partsOf(path)) {
      if (part === ".") continue;
      if (part !== "..") parts.push(part);
      else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else if (!isAbsolute) parts.push(part);
    }
    return parts;
  };

  const normalize = (path: string): string => {
    const { device, isAbsolute, rest } = parse(path);
    const body = reduced(rest, isAbsolute).join(separator) || (isAbsolute ? "" : ".");
    const end = body !== "" && isSeparator(rest.at(-1)) ? separator : "";
    return device + (isAbsolute ? separator : "") + body + end;
  };

  const resolve = (...paths: string[]): string => {
    let [device, tail] = ["", ""];
    for (const path of paths.filter((path) => path !== "").toReversed()) {
      const own = parse(path);
      if (device !== "" && own.device !== "" && fold(device) !== fold(own.device)) continue;
      if (!isSeparator(tail[0])) tail = (own.isAbsolute ? separator : "") + own.rest + separator + tail;
      device ||= own.device;
      if (own.isAbsolute && (device !== "" || separator === "/")) break;
    }
    return device + separator + reduced(tail, true).join(separator);
  };

  /** Where the last part ends: behind it are separators only. */
  const endOf = (path: string, begin: number): number => {
    let end = path.length;
    while (end > begin && isSeparator(path[end - 1])) end--;
    return end;
  };

  return {
    join: (...parts) => {
      const given = parts.filter((part) => part !== "");
      if (given.length === 0) return ".";
      const joined = given.join(separator);
      // Two separators would begin a host's name, which must be one part's own.
      const begin = separator === "\\" && deviceOf(given[0]).length <= 2
        ? joined.replace(/^[\\/]{2,}/, separator)
        : joined;
      return normalize(begin);
    },
    dirname: (path) => {
      const { length } = deviceOf(path);
      const root = length + Number(isSeparator(path[length]));
      let end = endOf(path, root);
      while (end > root && !isSeparator(path[end - 1])) end--;
      if (end <= root) return root === 0 ? "." : path.slice(0, root);
      const folder = path.slice(0, end - 1);
      // Two separators at the begin are a root of their own to Node.js.
      return separator === "/" && folder === "/" ? "//" : folder || separator;
    },
    basename: (path) => {
      const begin = /^[A-Za-z]:$/.test(deviceOf(path)) ? 2 : 0;
      const parts = partsOf(path.slice(begin));
      return parts.at(-1) ?? "";
    },
    isAbsolute: (path) => isSeparator(path[0]) || parse(path).isAbsolute,
    resolve,
    relative: (from, to) => {
      const [a, b] = [parse(from), parse(to)];
      if (fold(a.device) !== fold(b.device)) return to;
      const [up, down] = [reduced(a.rest, true), reduced(b.rest, true)];
      let same = 0;
      while (same < up.length && same < down.length && fold(up[same]) === fold(down[same])) same++;
      return [...up.slice(same).map(() => ".."), ...down.slice(same)].join(separator);
    },
    fileAddress: (path) => {
      const { device, rest } = parse(path);
      const [host, ...share] = device.length > 2 ? partsOf(device) : ["", ...partsOf(device)];
      const parts = [...share, ...rest.split(separators).slice(1)];
      const address = new URL(`file://${host}/`);
      // What an address would take for something else, or leave out; it escapes the rest itself.
      address.pathname = parts.join("/").replaceAll(/[%\\\n\r\t]/g, encodeURIComponent);
      return address.href;
    },
  };
}
