"""A small archive of an invented life, in five formats, and questions to ask of it."""
