"""Downloads from a model hub; begin with `download`.

listing         the files of a repository, with sizes and checksums
pins            the commit and the checksums of the first pull, which later pulls must match
download        files of a repository, resumed and verified
prompt_wording  the prompt of a sifter's authors, fetched beside its weights
hub_client      huggingface-hub: silenced, without telemetry, its errors translated
"""
