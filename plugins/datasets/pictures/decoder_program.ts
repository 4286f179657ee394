/** What tasks/build_decoder.ts makes the text of a thread's program of. */
import type { ThreadScope } from "../../../core/thread.ts";
import { serveDecoder } from "./decoder.ts";

/** The argument of the function whose body this becomes. */
declare const scope: ThreadScope<MessagePort>;

serveDecoder(scope);
