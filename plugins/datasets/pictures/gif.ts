import { hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";

/** Where the parts of a file stand that its first frame is made of. */
interface FirstFrame {
  readonly screen: { readonly width: number; readonly height: number };
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** Where its colours begin, and how many there are. */
  readonly colours: { readonly begin: number; readonly count: number };
  /** The colour that is none; -1: every one counts. */
  readonly transparent: number;
  readonly codeSize: number;
  /** Its coded pixels. */
  readonly data: Uint8Array;
}

/** The first frame of a GIF. What of the screen it leaves free is transparent. */
export const gif: PictureFormat = {
  name: "GIF",
  begins: (bytes) => hasLetters(bytes, 0, "GIF87a") || hasLetters(bytes, 0, "GIF89a"),
  look: (bytes) => ({ ...firstFrame(bytes).screen, orientation: 1 }),
  decode(bytes) {
    const frame = firstFrame(bytes);
    const { screen, colours: { begin, count }, transparent } = frame;
    const places = unpack(frame.data, frame.codeSize, frame.width * frame.height);
    const pixels = new Uint8Array(screen.width * screen.height * 4);
    const rows = rowsOf(frame);
    for (let y = 0, from = 0; y < frame.height; y++) {
      let to = ((frame.top + rows[y]) * screen.width + frame.left) * 4;
      for (let x = 0; x < frame.width; x++, from++, to += 4) {
        const colour = places[from];
        if (colour === transparent) continue;
        if (colour >= count) refuse(`it has the colour ${colour} of ${count}`);
        for (let c = 0; c < 3; c++) pixels[to + c] = bytes[begin + 3 * colour + c];
        pixels[to + 3] = 255;
      }
    }
    return Promise.resolve({ ...screen, channels: 4, pixels });
  },
};

function firstFrame(bytes: Uint8Array): FirstFrame {
  const reader = new Reader(bytes, true);
  const screen = { width: reader.short(6), height: reader.short(8) };
  const tableAt = (flags: number, begin: number) => ({ begin, count: flags & 0x80 ? 2 << (flags & 7) : 0 });
  const shared = tableAt(reader.byte(10), 13);
  let transparent = -1;
  for (let place = 13 + 3 * shared.count;;) {
    const kind = reader.byte(place);
    if (kind === 0x3b) refuse("it has no frame");
    if (kind === 0x21) {
      // The extension of a frame: its flags, its time, its transparent colour.
      if (reader.byte(place + 1) === 0xf9) transparent = reader.byte(place + 3) & 1 ? reader.byte(place + 6) : -1;
      place = blocksFrom(reader, place + 2).end;
      continue;
    }
    if (kind !== 0x2c) refuse("its parts (GIF blocks) do not follow on each other");
    const [left, top, width, height] = [1, 3, 5, 7].map((offset) => reader.short(place + offset));
    if (left + width > screen.width || top + height > screen.height) {
      refuse("its first frame is larger than its screen");
    }
    const flags = reader.byte(place + 9);
    const own = tableAt(flags, place + 10);
    const begin = place + 10 + 3 * own.count;
    const colours = own.count > 0 ? own : shared;
    const codeSize = reader.byte(begin);
    if (codeSize < 1 || codeSize > 11) refuse(`its pixels are codes of ${codeSize} bits`);
    const { data } = blocksFrom(reader, begin + 1);
    return { screen, left, top, width, height, interlaced: (flags & 0x40) !== 0, colours, transparent, codeSize, data };
  }
}

/** The content of blocks of up to 255 bytes, which end with an empty one. */
function blocksFrom(reader: Reader, begin: number): { data: Uint8Array; end: number } {
  const blocks: Uint8Array[] = [];
  let place = begin;
  for (let length = reader.byte(place); length > 0; length = reader.byte(place)) {
    if (place + 1 + length > reader.bytes.length) refuse(TRUNCATED);
    blocks.push(reader.bytes.subarray(place + 1, place + 1 + length));
    place += 1 + length;
  }
  const data = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const block of blocks) {
    data.set(block, end);
    end += block.length;
  }
  return { data, end: place + 1 };
}

/** The row of the picture that each stored row is. */
function rowsOf({ height, interlaced }: FirstFrame): number[] {
  const rows = Array.from({ length: height }, (_, row) => row);
  if (!interlaced) return rows;
  return [[0, 8], [4, 8], [2, 4], [1, 2]].flatMap(([first, step]) => rows.filter((row) => row % step === first % step));
}

/** No code has more bits. */
const MOST_BITS = 12;

/** The colours' numbers that LZW codes stand for. @throws BadPicture for fewer than `count`, or a code that is none */
function unpack(data: Uint8Array, codeSize: number, count: number): Uint8Array {
  const [clear, end] = [1 << codeSize, (1 << codeSize) + 1];
  const [prefixes, last] = [new Uint16Array(1 << MOST_BITS), new Uint8Array(1 << MOST_BITS)];
  const out = new Uint8Array(count);
  const stack = new Uint8Array((1 << MOST_BITS) + 1);
  let [next, bits, previous, first, done] = [end + 1, codeSize + 1, -1, 0, 0];
  let [waiting, held] = [0, 0];
  for (let at = 0; done < count;) {
    while (held < bits) {
      if (at === data.length) refuse(TRUNCATED);
      waiting |= data[at++] << held;
      held += 8;
    }
    const code = waiting & ((1 << bits) - 1);
    waiting >>>= bits;
    held -= bits;
    if (code === clear) {
      [next, bits, previous] = [end + 1, codeSize + 1, -1];
      continue;
    }
    if (code === end) refuse(TRUNCATED);
    if (code > next || code === next && previous < 0 || previous < 0 && code > end) refuse("its pixels are damaged");
    let depth = 0;
    // The one code that is not in the table yet: what went before, and its own first colour once more.
    let part = code === next ? previous : code;
    if (code === next) stack[depth++] = first;
    while (part >= clear) {
      stack[depth++] = last[part];
      part = prefixes[part];
    }
    first = part;
    stack[depth++] = first;
    while (depth > 0 && done < count) out[done++] = stack[--depth];
    if (previous >= 0 && next < 1 << MOST_BITS) {
      prefixes[next] = previous;
      last[next++] = first;
      if (next === 1 << bits && bits < MOST_BITS) bits++;
    }
    previous = code;
  }
  return out;
}
