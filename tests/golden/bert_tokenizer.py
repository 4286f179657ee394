"""Tokens of odd strings by transformers' BertTokenizer: python3 bert_tokenizer.py > bert_tokenizer.json

pip install transformers. What tokenizers (Rust) has no setting for, do_basic_tokenize and never_split, is by the
tokenizer in Python that it came from (BertTokenizerLegacy).
"""

import json
import os
import tempfile
import unicodedata

from transformers import BertTokenizer, __version__
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

TEXTS = [
    "Héllo WÖRLD", "naïve Café", "e\u0301 E\u0323\u0302 ñ n\u0303", "straße STRASSE ẞ", "İstanbul I ı İ", "ΑΒΓ ΣΑΣ ὈΔΥΣΣΕΎΣ",
    "中文abc字", "a中\u3000文", "𠀀𪜀b 丽", "a\U0002b830b\U0002b920c\U0002cea1d", "한국어 カタカナ ひらがな が", "a\u00a0b\u2003c\u3000d", "a\u200bb\u200dc\ufeffd",
    "tab\tnew\nline\rend", "a\u0000b\ufffdc", "don't U.S.A. a-b_c", "$5 50% #x @y ^z `q` ~w |v <t>", "«q» „q“ …—–¿¡",
    "[MASK] [CLS] x[SEP]y", "[mask] [Mask] [UNK]", "😀👍🏽 👨\u200d👩\u200d👧 ☕", "ﬁ ﬀ Ａｆ １２", "ǅ ǆ Ǆ ŉ ΐ", "नमस्ते हिन्दी",
    "עִבְרִית שלום", "العَرَبِيَّة", "ก็ไทย", "so\u00adft", "a\u2028b\u2029c", "a\u0085b", "a\u180eb", "a\u0378b", "a\ue000b", "Ⅷ ⅷ Ⓐ",
    "Ω K Å", "Ꭰ ꭰ", "Ё Й й ё", "Ç ç ş Ş ğ", "ấ Ậ Đ đ", "x" * 100 + " ok", "x" * 101 + " ok", "  lead  and trail  ", "",
    "a\u001cb\u001fc", "A.B,C!D", "[E1] met [e1], (e1) <br>x <br> U.S.", "U.S. u.s. [E1]", "ABC abc Abc,abc", "№ ™ ½ ²",
]

SETTINGS = [
    dict(do_lower_case=True),
    dict(do_lower_case=True, strip_accents=None, tokenize_chinese_chars=True),
    dict(do_lower_case=True, strip_accents=False),
    dict(do_lower_case=True, strip_accents=True, tokenize_chinese_chars=False),
    dict(do_lower_case=False),
    dict(do_lower_case=False, strip_accents=True),
    dict(do_lower_case=False, strip_accents=False, tokenize_chinese_chars=False),
]
LEGACY = [
    dict(do_basic_tokenize=False),
    dict(do_basic_tokenize=False, do_lower_case=False, never_split=["a-b"]),
    dict(do_lower_case=False, never_split=["[E1]", "<br>", "U.S.", "abc"]),
    dict(do_lower_case=True, never_split=["[E1]", "<br>", "u.s.", "Café"]),
    dict(do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False, never_split=["[E1]", "don't", "中文abc字"]),
]

# Every letter, also as a piece within a word, so that tokens show what normalising made of the text.
forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in TEXTS]
letters = sorted({c for form in forms for way in (form, form.lower(), form.upper()) for c in way if c not in "\r\n"})
# Words as vocabularies have them; never_split's are in it but for one.
WORDS = ["[E1]", "[e1]", "<br>", "U.S.", "abc", "don't"]
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + letters + ["##" + c for c in letters]
vocabulary = list(dict.fromkeys(vocabulary))

with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "vocab.txt")
    with open(file, "w", encoding="utf-8", newline="\n") as out:
        out.write("\n".join(vocabulary) + "\n")
    cases = []
    for kind, all_settings in ((BertTokenizer, SETTINGS), (BertTokenizerLegacy, LEGACY)):
        for settings in all_settings:
            with open(os.path.join(folder, "tokenizer_config.json"), "w") as out:
                json.dump({"tokenizer_class": "BertTokenizer", **settings}, out)
            tokenizer = kind.from_pretrained(folder)
            ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
            shown = [" ".join(f"{i:x}" for i in own) for own in ids]
            cases.append({"settings": settings, "by": kind.__name__, "ids": shown})

print(json.dumps({"transformers": __version__, "texts": TEXTS, "vocabulary": "".join(letters), "words": WORDS, "cases": cases}))
