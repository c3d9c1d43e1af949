"""Conversion of published checkpoints (safetensors) to GGUF; begin with `gguf_writer`.

gguf_writer        the way from a checkpoint's folder to one GGUF file
qwen3              hyperparameters and tensors of Qwen3ForCausalLM
decoder_tokenizer  the tokenizer of a language model
checkpoint         config.json and safetensors, read piece by piece
dtypes             F32, F16 and BF16, from one to another
json_file          typed access to JSON that others wrote
"""
