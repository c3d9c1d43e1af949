"""Models as commands need them; begin with `resolve`.

resolve      the choice of a model: options, settings and catalog
open         opening of the chosen models
gguf_cache   GGUF files that were checked before
inventory    the list of `mem models list`
describe     the description of `mem models show`
served       verification of models behind an address
maintain     the other steps of `mem models`
"""
