"""The models, one backend per library. A library is imported when its backend first works.

`protocols.py` has the abilities that a backend implements. Read `model_loader` first, then
`llama/`, which has all five roles.

model_loader        opens a model of any role by the backend that its weights need
static_embedder     an embedder that comes inside a dependency
word_pieces         the tokens of words in its vocabulary
llama/              GGUF files through llama.cpp
torch_bf16/         safetensors through torch
server/             models behind an address
generation/         generators (sifter, reader, chat), as far as they depend on no library
yes_no              rerankers, likewise
gguf_check          checks that a GGUF file is whole, before a library maps it into memory
safetensors_header  the tensors of a safetensors file, and the same check
"""
