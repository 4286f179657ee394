import { join } from "node:path";

/** Whether the tests of encrypted connections are left out: where nothing makes certificates, save in CI. */
export const WITHOUT_OPENSSL = !hasOpenssl() && Deno.env.get("CI") !== "true";

function hasOpenssl(): boolean {
  try {
    return openssl("version");
  } catch {
    return false;
  }
}

function openssl(...args: string[]): boolean {
  return new Deno.Command("openssl", { args, stdout: "null", stderr: "null" }).outputSync().success;
}

/** Certificates of a test: `NAME.crt` and `NAME.key`, and the authority `ca.crt` that signed them. */
export class Certificates {
  /** @param folder where they are written */
  constructor(private readonly folder: string) {
    this.#make("ca", "authority", "basicConstraints=critical,CA:TRUE");
  }

  /** The authority's certificate. */
  get authority(): string {
    return join(this.folder, "ca.crt");
  }

  /**
   * Makes one of a server.
   *
   * @param names as `IP:127.0.0.1`
   * @returns flags of redis-server, save its port
   */
  server(name: string, names: string): string[] {
    const signed = ["-CA", this.authority, "-CAkey", join(this.folder, "ca.key")];
    this.#make(name, name, "basicConstraints=critical,CA:FALSE", `subjectAltName=${names}`, ...signed);
    const [cert, key] = ["crt", "key"].map((end) => join(this.folder, `${name}.${end}`));
    return ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", this.authority];
  }

  #make(name: string, subject: string, ...more: string[]): void {
    const [key, cert] = [join(this.folder, `${name}.key`), join(this.folder, `${name}.crt`)];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const extensions = more.filter((one) => /^\w+=/.test(one)).flatMap((one) => ["-addext", one]);
    const rest = more.filter((one) => !/^\w+=/.test(one));
    const out = ["-keyout", key, "-out", cert, "-days", "2", "-subj", `/CN=${subject}`];
    if (!openssl("req", "-x509", ...curve, ...out, ...extensions, ...rest)) throw new Error(`openssl makes no ${name}`);
  }
}
