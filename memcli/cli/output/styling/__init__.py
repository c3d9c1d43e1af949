"""Texts with styles on a terminal, and without them in a pipe.

plain_text   the texts and the console of a pipe, which load nothing of rich's
hyperlinks   references as links, on terminals that support them
"""
