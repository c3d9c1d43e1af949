"""From a hub repository to a verified GGUF file; begin with `pull`.

pull           the steps from a hub to an installed model
hub/           listing, pins and downloads
convert/       safetensors to GGUF
verify_model   verification of weights, the cheapest checks first
verify_served  verification of models behind an address
gguf_header    comparison of a file's header with the manifest
role_trials    questions with known answers, by role
record         the origin, checksum and verdict of weights
recommend      the models that suit a machine
"""
