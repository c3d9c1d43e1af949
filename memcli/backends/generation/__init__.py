"""Models that write, whichever library runs them: a prompt is read, a thought written, and more.

writer           what they have in common
sifter           a thought, and a ranking of what was shown
reader           a thought, and the call of a tool
chat             a thought, and an answer
template         a dialogue as a model's chat template has it
thought          from the bytes of tokens to text
permutation      what may follow in a ranking
json_constraint  what may follow in a call
plain_text       somebody's words, of which no special token is made
"""
