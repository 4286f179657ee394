/** What systems leave in folders. */
export const SYSTEMS = /(?:^|\/)(?:\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX)(?:\/|$)/i;

/** What lies beside pictures and is none. */
export const OTHERS =
  /\.(?:txt|md|json|jsonl|csv|tsv|xml|ya?ml|html?|py|ipynb|npy|npz|pkl|mat|zip|gz|tar|db|log|pdf|doc)$/i;
