import path from "path-browserify";

export const { basename, dirname, extname, isAbsolute, join, normalize, parse, posix, relative, resolve, sep } = path;
export default path;
