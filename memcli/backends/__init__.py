"""The models, one backend per library. A library is imported when its backend first works.

fake         words stand for meaning: for tests, without weights
builtin      static embeddings that come with a dependency
llama        GGUF files through llama.cpp
torch_bf16   safetensors through torch
server       models behind an address

writing      sifters, readers and chats, as far as no library is in it
judging      rerankers, likewise
"""
