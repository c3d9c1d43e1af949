"""Full text and vectors, which can be rebuilt from the rows. Read `search_index` first.

search_index     words of sessions, passages and turns, and vectors of passages
term_statistics  BM25 of terms, and mistyped terms
synonyms         terms that stand for several words
spelling         the nearest stem to a mistyped one
highlights       the places of terms in a text
memory_index     words and vectors of memories
embedders        the embedders that have vectors
passage_vectors  the tables of passages' vectors, and the search for the nearest
quantization     vectors as bytes
vector_sets      re-embedding while the old vectors are in use
full_text        words of sessions, passages and turns as they are written and erased
word_levels      words by how often a text has them, and BM25 from that
phrases          phrases word for word
rebuild          rebuilding of the full text
"""
