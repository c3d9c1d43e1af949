"""The work of `mem browse`: search as you type, in a full screen of the terminal.

Read `browse_app` first. Only that module and the widgets import Textual, the extra `browse`.

    browse_app        the screen, its keys, and the way from a key to results
    session_list      the widget with the sessions that were found
    transcript_pane   the widget with the turns of the chosen session
    transcript_lines  a session as lines of a width, with marked words
    filter_line       filters as a person types them, with suggestions
    typed_options     options of the command line as they were typed
    archive_search    searches and lists, given an open database
    store_thread      a thread with a database connection of its own, which runs the newest job only
    reference_pager   a session in the pager, while the screen is away
    key_help          the keys, as the help line of each pane shows them
"""
