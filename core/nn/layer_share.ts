/** Layers of a deeper model, from `begin` up to `end`, which is not one of them. */
export interface LayerShare {
  readonly begin: number;
  readonly end: number;
}

/**
 * The layers of a deeper model that one layer of a shallower one stands for, when they are divided in order and as
 * evenly as can be: layer `i` of `n` has `i N / n` up to `(i + 1) N / n` of `N`, rounded down. Its last one, 2 i + 1
 * where the deeper model has twice as many, is what OPDF (arXiv 2411.06448, appendix D.2) pairs the layer with.
 *
 * @param index the layer's place, from 0
 * @param count layers of the shallower model
 * @param offered layers of the deeper one; with fewer than `count` some shares are empty
 */
export function layerShare(index: number, count: number, offered: number): LayerShare {
  const bound = (layer: number) => Math.floor(layer * offered / count);
  return { begin: bound(index), end: bound(index + 1) };
}
