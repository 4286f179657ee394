import type { Picture } from "../../../core/data/resize.ts";

/** A picture that is being decoded. */
export interface Begun {
  /** Rejects with BadPicture, or with what else keeps it from being decoded. */
  readonly picture: Promise<Picture>;
  /** Bytes of memory that it takes until then. */
  readonly memory: number;
}

/** Bytes of memory that pictures in the making take together; one alone may take more. */
const MOST_MEMORY = 2 ** 29;

/**
 * Decodes pictures ahead, and takes them in their order, whichever is done first.
 *
 * @param most how many are begun and not taken
 * @param begin reads one and has it decoded; one after another
 * @param take called for one after another
 * @param told called when as many are begun as may be, at least once
 */
export async function decodeInOrder<Item>(
  items: Iterable<Item>,
  most: number,
  begin: (item: Item) => Promise<Begun>,
  take: (item: Item, picture: Promise<Picture>) => void | Promise<void>,
  told: () => void = () => {},
): Promise<void> {
  const ahead: { readonly item: Item; readonly picture: Promise<Picture>; memory: number }[] = [];
  let memory = 0;
  const takeFirst = async () => {
    const first = ahead.shift()!;
    await take(first.item, first.picture);
    memory -= first.memory;
  };
  for (const item of items) {
    const begun = { item, ...await begin(item) };
    ahead.push(begun);
    memory += begun.memory;
    begun.picture.then(({ pixels }) => {
      memory += pixels.length - begun.memory;
      begun.memory = pixels.length;
    }, () => {
      // It is told when its turn comes; if another ends all before that, it is nobody's failure.
    });
    while (ahead.length > most || (memory > MOST_MEMORY && ahead.length > 0)) {
      told();
      await takeFirst();
    }
  }
  told();
  while (ahead.length > 0) await takeFirst();
}
