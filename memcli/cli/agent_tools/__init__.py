"""The tools of `mem mcp`: agents read the memory with them, and change nothing.

- `tool_documents`: arguments and results of each tool, as types that become JSON Schemas.
- `memory_tools`: the tools themselves, over a database that is only read.
- `mcp_server`: the Model Context Protocol over standard input and output.
"""
