"""Tiny BERT models that transformers saves and any server loads: a cross-encoder, an embedder."""

from helpers.random_models import CORPUS
from helpers.rerank_servers import CHECKS, LOGITS, PUBLISHED
from memcli.backends.server.reranking.known_pairs import KNOWN_PAIRS

RANKINGS = (*KNOWN_PAIRS, PUBLISHED, *CHECKS)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def save_cross_encoder(folder):
    """Save a cross-encoder that was trained until it gives the known pairs their LOGITS."""
    import torch
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    model = BertForSequenceClassification(_config(tokenizer, num_labels=1)).train()
    pairs = [(one.question, passage) for one in RANKINGS for passage in one.passages]
    inputs = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_tensors="pt")
    labels = torch.tensor([LOGITS[passage] for _, passage in pairs])[:, None]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(500):
        loss = torch.nn.functional.mse_loss(model(**inputs).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _save(model, tokenizer, folder)
    return folder


def save_embedder(folder):
    """Save a random encoder; sentence-transformers pools it by the mean."""
    import torch
    from transformers import BertModel

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    _save(BertModel(_config(tokenizer)), tokenizer, folder)
    return folder


def _config(tokenizer, **others):
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **others,
    )


def _tokenizer():
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    texts = [text for one in RANKINGS for text in (one.question, *one.passages)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=1200, special_tokens=list(SPECIAL), show_progress=False
    )
    made.train_from_iterator([*CORPUS, *texts], trainer)
    marks = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=marks
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=512,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def _save(model, tokenizer, folder):
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    settings = folder / "tokenizer_config.json"  # transformers 4 does not know the name in 5
    text = settings.read_text("utf-8").replace("TokenizersBackend", "PreTrainedTokenizerFast")
    settings.write_text(text, "utf-8")
