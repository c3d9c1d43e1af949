"""Parsers of chats between people: messengers, text messages and mail.

Begin with `signal`, the smallest. All build on `memcli.formats.building.long_chats`.

    discord, discord_package  DiscordChatExporter's files; Discord's own data package
    email                     mailboxes and single messages
    google_chat               Google Chat in a Takeout
    imessage, imessage_text   Apple's database of messages; imessage-exporter's text files
    line                      LINE's text files
    matrix                    rooms that Element exports
    messenger                 Messenger and Instagram; HTML is in `messenger_html`, sentences that
                              nobody wrote in `messenger_notices`
    signal, signal_plaintext  signal-export's Markdown; Signal's own plaintext export
    slack                     Slack's export of a workspace
    sms                       text messages of an Android phone
    telegram, telegram_html   Telegram Desktop's JSON and HTML; `telegram_content` has what one
                              message of the JSON says
    twitter_dm                direct messages in an archive of X
    whatsapp                  WhatsApp's text files; the lines that begin a message are parsed in
                              `whatsapp_headers`, names in `whatsapp_senders`, WhatsApp's own
                              sentences in `whatsapp_words`, from `whatsapp_phrases.toml`
"""
