"""Builders of conversations that several parsers share.

Begin with `blocks`: assistants and coding agents write one message as several blocks.

    blocks             messages that are made of texts, thoughts, tool calls and results
    branches           conversations that are trees of messages
    chat_messages      messages of chats among people, as most exports state them
    collected_chats    conversations with an assistant whose messages are mixed
    conversation_list  exports that are one list of conversations
    json_chats         messages in JSON beside what describes their chat
    markup             markup of assistants inside of texts: references, and thoughts
    long_chats         chats of any length, split while they are read; speakers and times
    time_order         the order of messages of which some have no time
    text_chat          chats written as text, whose messages begin with a header line
"""
