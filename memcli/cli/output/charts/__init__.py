"""People and time, as text and as drawings.

people_view    the people who speak, a line each
timeline_view  the sessions of each month: bars on a terminal, numbers in a pipe, or SVG
"""
