"""Conversion of published weights (safetensors) to GGUF."""
