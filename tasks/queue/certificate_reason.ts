/** How a user names an authority that the system does not know. */
const TRUST = "name your own authority by the variable DENO_CERT=FILE, its certificate in PEM";

/**
 * Why a server's certificate was not taken, to follow "as".
 *
 * @param words an error's code and message
 * @returns `null` if that is not what failed
 */
export function certificateReason(words: string): string | null {
  if (/ALTNAME_INVALID|NotValidForName/.test(words)) {
    const names = /cert's (?:altnames|list): (.+)$/.exec(words)?.[1];
    return `the server's certificate is for another name${names ? ` (${names})` : ""}: name the server as it does`;
  }
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|Expired|NotValidYet/.test(words)) {
    return "the server's certificate is not valid now: it has expired, or this machine's clock is wrong";
  }
  if (/DEPTH_ZERO_SELF_SIGNED_CERT|CaUsedAsEndEntity/.test(words)) {
    return `the server's certificate is signed by itself alone: ${TRUST}; such a one must have been made with ` +
      "basicConstraints=CA:FALSE";
  }
  if (/SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER|VERIFY)|UnknownIssuer/.test(words)) {
    return `no authority that this program knows has signed the server's certificate: ${TRUST}`;
  }
  if (/CERTIFICATE_REQUIRED|CertificateRequired/.test(words)) {
    return "the server asks for a certificate of this program, which has none: start it with --tls-auth-clients no";
  }
  if (/CA file/.test(words)) return "the file that the variable DENO_CERT names cannot be read";
  return null;
}
