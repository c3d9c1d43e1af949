"""From a hub repository to a model file one can trust.

hub                  huggingface-hub as we use it
listing              what a repository holds, file by file
fetch                files of a repository, brought here and checked
held                 what a hub had the first time, and has to have ever after
artefact             a sifter's message in the words of its authors
checkpoint           weights as a hub has them: config.json and safetensors, read piece by piece
json_file            JSON that somebody else wrote, read with types
numbers              F32, F16 and BF16, from one to another
vocabulary           the tokenizer of a language model, as llama.cpp wants it
embedder_vocabulary  the tokenizer of an encoder, as llama.cpp wants it
qwen3                how an architecture is written down in GGUF; so bert and xlm_roberta
convert              all of this together: a folder of a hub in, one GGUF file out
verify               whether a GGUF file is the model it should be
record               what is known of the weights on this machine
"""
