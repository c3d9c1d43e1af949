"""An export's way into the database: find, recognise, parse, merge, cut, index."""
