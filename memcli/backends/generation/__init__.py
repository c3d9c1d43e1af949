"""Generators of text, whichever library runs them: they read a prompt, think, and write.

Read `generator` first, and then one of the three that derive from it.

generator           the base: a model that reads a prompt and generates tokens after it
sifter              generates a thought, and a ranking of the sessions shown
tool_caller         generates a thought, and one tool call
chat                generates a thought, and an answer
chat_template       renders a dialogue in a model's chat template
bounded_template    renders a template within bounds, by `template_worker`, a process of its own
thought_stream      turns the bytes of tokens into text
ranking_constraint  the tokens that may follow in a ranking
json_constraint     the bytes that may follow in a tool call
plain_text          keeps people's text from becoming special tokens
"""
