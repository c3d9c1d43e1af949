"""Parsers of research data sets.

locomo       LoCoMo: conversations of two people
longmemeval  LongMemEval: questions with the sessions that may answer them
"""
