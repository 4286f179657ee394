/** In the place of `node:process`, of which the suite knows the environment alone: a browser has none. */
export default { env: {} as Readonly<Record<string, string | undefined>> };
