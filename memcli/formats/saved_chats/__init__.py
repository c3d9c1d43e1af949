"""Parsers of chats that a messenger or a tool saves: as text, tables, pages or JSON.

Begin with `imazing`, a table with all details. `kakaotalk` shows a chat in four forms.

    wechat, qq, qq_exporter, chatlab, kakaotalk     messengers of China and Korea
    discord_html, discord_csv, discord_text   DiscordChatExporter's other forms
    imessage_html, imazing, whatsapp_exporter     tools that read a phone or its backup
    viber, threema, zoom, irc                 text logs
"""
