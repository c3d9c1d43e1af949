"""Parsers of the data that a service hands out about an account.

Begin with `snapchat`, an object of chats.

    copilot                       Microsoft Copilot's activity
    snapchat, tiktok, reddit      social networks
    snapchat_html                 Snapchat's pages
    linkedin                      messages of LinkedIn
    skype                         Skype, and Teams for private use
    google_voice, hangouts        Google Takeout
"""
