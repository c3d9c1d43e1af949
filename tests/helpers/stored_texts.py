"""The compressed texts of a database, as no command shows and changes them."""

from memcli.store.tables.packed_texts import pack_texts, unpack_texts


def packed(store, public):
    """Return the value in which the texts of a session are stored."""
    [(value,)] = store._database.rows(
        "select packed from texts join sessions on id = session_id where public = ?", public
    )
    return value


def change_texts(database, change):
    """Change the text of every turn by a function, behind the back of the store."""
    for number, value in database.rows("select session_id, packed from texts"):
        texts = [change(text).encode() for text in unpack_texts(value)]
        database.rows("update texts set packed = ? where session_id = ?", pack_texts(texts), number)
