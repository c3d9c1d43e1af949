"""A question's way to ranked sessions: retrieve, rerank, sift, answer."""
