"""The connection to SQLite and what belongs to the database as a whole.

Read `connection` first.

    connection      opening a database, statements, transactions, errors
    database_file   creating and checking the file
    migrations      the steps of the schema, and taking those that are missing
    steps_*         the steps themselves, which are never edited
    filters         filters on sessions as SQL conditions
    times           times as the database stores them
    tokenize        words of texts and questions, as the full text has them
"""
