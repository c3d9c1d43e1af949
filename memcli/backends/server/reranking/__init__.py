"""Rerankers behind an address. A server is believed only once it has scored known pairs rightly.

Read `reranker` first, then `verification`.

reranker       the served reranker
verification   the trial of a server, and the choice of the way in which it is asked
scale          the meaning of a server's numbers: probabilities, logits, or a sigmoid too many
known_pairs    pairs in four languages for models without published scores
verdicts       the results of trials, remembered for a day
score_client   requests, in every form that servers understand
replies        scores from their replies
"""
