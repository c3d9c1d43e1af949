"""Parsers of chats among people: messengers, mail, text messages."""
