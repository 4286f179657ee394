"""Tokens of odd strings by transformers' RobertaTokenizer: python3 roberta_tokenizer.py > roberta_tokenizer.json

pip install transformers. The folders have no tokenizer.json: vocab.json and merges.txt, and the settings beside them.
"""

import json
import os
import tempfile

from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizerFast, __version__

TEXTS = [
    "Hello world", " Hello  world ", "héllo WÖRLD naïve", "e\u0301 E\u0323\u0302 ñ", "don't we'll I'M they've it's 'tis", "12 345 6,789.0",
    "中文abc字", "𠀀b 丽", "한국어 カタカナ", "a\u00a0b\u2003c\u3000d", "a\u200bb\u200dc", "a\ufeffb \ufeff c\ufeff", "tab\tnew\nline\r\nend",
    "a\u0085b \u0085\u0085 c", "a\u2028b\u2029c", "a\u180eb", "a\u001cb\u001f c", "\u0000 a\u0007", "  lead  and trail   ", "   ", "\n\n x\n",
    "U.S.A. a-b_c $5 50% #x @y", "«q» „q“ …—–¿¡", "😀👍🏽 👨\u200d👩\u200d👧 ☕", "ﬁ Ａｆ １２ Ⅷ ½ ²", "नमस्ते हिन्दी", "עִבְרִית", "ก็ไทย", "x" * 60 + " ok",
    "<s> x</s>y", "a <mask> b", "a<mask>b", "a  <mask>  b", "<pad><unk>", "<S> <MASK>", "[CLS] a [MASK] b[SEP]", "see [E1] and[E1]x", "a <new> b<new>c",
    "\u0378\ue000", "cost \u0085\u0085x", "a \ufeffb", " \ufeff\ufeff a", "a\n\u0085b", "a \u0085b", "a\ufeff \ufeffb \ufeff", "£\u00a05", "a \u180e\u200b b", "end\n\nend\t\tx",
    "aaaa aaa aa a", "the theme then other", "",
]
PAIRS = [["a b", "c d"], ["the", " theme "], ["", "x"]]

# What the vocabulary is learnt from; every byte is in it at any rate.
CORPUS = [
    "the theme of the other day and then the end", "hello world, hello there", "don't we'll they've it's", "aaaa aaa aa",
    "naïve café 中文 12 345", "lead and trail, line and new line", "cost £5 £6 £7 «a» ©", "a ﬁne ﬁt", "a ！ ﹏ ﷽ ￥ ︙ ﷲ x ！ ﹏ ﷽ ￥", "end\n\nend\t\tend  a",
] * 3

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT_NAMES = dict(cls_token="[CLS]", sep_token="[SEP]", bos_token="[CLS]", eos_token="[SEP]", mask_token="[MASK]")
LSTRIP = dict(content="<mask>", lstrip=True, rstrip=False, normalized=False, single_word=False)

def decoder(start, *entries):
    """The added tokens of a tokenizer_config.json, by their numbers."""
    return {str(start + i): dict(rstrip=False, single_word=False, **entry) for i, entry in enumerate(entries)}

# Each: tokenizer_config.json, special_tokens_map.json, added_tokens.json, and tokens that the vocabulary has more.
CASES = [
    dict(),
    dict(config=dict(add_prefix_space=True)),
    dict(config=dict(add_prefix_space=False, trim_offsets=False, mask_token=dict(LSTRIP, __type="AddedToken"))),
    dict(map=dict(mask_token=LSTRIP, cls_token="<s>")),
    dict(map=BERT_NAMES, more=["[CLS]", "[SEP]", "[MASK]"]),
    dict(config=dict(cls_token="<s>", sep_token="</s>"), map=BERT_NAMES, more=["[CLS]", "[SEP]", "[MASK]"]),
    dict(config=dict(BERT_NAMES, add_prefix_space=True), more=["[CLS]", "[SEP]", "[MASK]"]),
    dict(added={"[E1]": 1, "<new>": 0}),
    dict(map=dict(additional_special_tokens=["[E1]"]), added={"[E1]": 0}),
    dict(config=dict(added_tokens_decoder=[
        dict(content="[E1]", lstrip=False, normalized=False, special=True),
        dict(content="<new>", lstrip=True, normalized=False, special=False),
    ])),
]

with tempfile.TemporaryDirectory() as folder:
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(CORPUS, vocab_size=5 + 256 + 90, min_frequency=2, special_tokens=SPECIALS)
    trained.save_model(folder)
    with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)
    with open(os.path.join(folder, "merges.txt"), encoding="utf-8") as file:
        merges = file.read()

cases = []
for case in CASES:
    with tempfile.TemporaryDirectory() as folder:
        def write(name, value):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(value if isinstance(value, str) else json.dumps(value))
        more = case.get("more", [])
        size = len(vocabulary) + len(more)
        files = {}
        if "config" in case:
            config = dict(case["config"])
            if "added_tokens_decoder" in config:
                config["added_tokens_decoder"] = decoder(size, *config["added_tokens_decoder"])
            files["tokenizer_config.json"] = config
        if "map" in case:
            files["special_tokens_map.json"] = case["map"]
        if "added" in case:
            files["added_tokens.json"] = {token: size + at for token, at in case["added"].items()}
        write("vocab.json", {**vocabulary, **{token: len(vocabulary) + i for i, token in enumerate(more)}})
        write("merges.txt", merges)
        for name, value in files.items():
            write(name, value)
        tokenizer = RobertaTokenizerFast.from_pretrained(folder)
        ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        pairs = [tokenizer(*pair)["input_ids"] for pair in PAIRS]
        shown = [" ".join(f"{i:x}" for i in own) for own in ids + pairs]
        cases.append({"files": files, "more": more, "ids": shown})

print(json.dumps({
    "transformers": __version__, "texts": TEXTS, "pairs": PAIRS, "vocabulary": list(vocabulary), "merges": merges,
    "cases": cases,
}))
