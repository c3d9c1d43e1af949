"""Parsers of forms that no single program owns, and of mem's own export.

memcli            the output of `mem export`
any_json          messages with a role and a content, as JSON or JSON lines
any_text          transcripts in which every turn begins with its speaker
export_manifests  lists of the files that an export should have
"""
