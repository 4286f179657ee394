/** What a file says of its picture, before anything is decoded. */
export interface DeclaredPicture {
  /** In pixels, as stored: before `orientation` turns it. */
  readonly width: number;
  readonly height: number;
  /** How it is to be turned, by EXIF's numbers: 1 is upright. */
  readonly orientation: number;
}

/** Pixels as a decoder gives them: row-major, as stored. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and opacity, 3: red, green, blue, 4: these and opacity. Opacity is not multiplied in. */
  readonly channels: 1 | 2 | 3 | 4;
  /** `[height, width, channels]` */
  readonly pixels: Uint8Array | Uint8ClampedArray;
}

/** A format of picture files. */
export interface PictureFormat {
  readonly name: string;
  /** Whether a file begins as its files do. */
  readonly begins: (bytes: Uint8Array) => boolean;
  /** Reads what is declared, and sees to it that the file is whole. @throws BadPicture */
  readonly look: (bytes: Uint8Array) => DeclaredPicture;
  /** @throws BadPicture, or anything else, for data that are damaged */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>, declared: DeclaredPicture) => Promise<DecodedPicture>;
}

/** A picture that cannot be used. */
export class BadPicture extends Error {
  static {
    this.prototype.name = "BadPicture";
  }

  /** @param reason follows "as": `it ends before its picture does` */
  constructor(readonly reason: string) {
    super(reason);
  }
}

/** The reason of a file that was cut off. */
export const TRUNCATED = "it ends before its picture does";

/** @throws BadPicture */
export function refuse(reason: string): never {
  throw new BadPicture(reason);
}

/** Whether some letters stand at a place. */
export function hasLetters(bytes: Uint8Array, place: number, letters: string): boolean {
  if (bytes.length < place + letters.length) return false;
  for (let i = 0; i < letters.length; i++) if (bytes[place + i] !== letters.charCodeAt(i)) return false;
  return true;
}

/** Numbers of a file, by place. @throws BadPicture behind its end */
export class Reader {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array, private readonly little: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(place: number): number {
    return this.#number(place, 1, () => this.#view.getUint8(place));
  }

  short(place: number): number {
    return this.#number(place, 2, () => this.#view.getUint16(place, this.little));
  }

  long(place: number): number {
    return this.#number(place, 4, () => this.#view.getUint32(place, this.little));
  }

  signed(place: number): number {
    return this.#number(place, 4, () => this.#view.getInt32(place, this.little));
  }

  #number(place: number, length: number, read: () => number): number {
    return place >= 0 && place + length <= this.bytes.length ? read() : refuse(TRUNCATED);
  }
}
