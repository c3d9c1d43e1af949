"""Recognises the texts that WhatsApp itself writes into a chat, in many languages."""

import re

from memcli.domain import Kind
from memcli.formats.messengers.whatsapp_headers import MARKS

_FILE_NAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"whatsapp[ -]?chats?\s+(?:with|mit|met|con|-)\s+(.+)",
        r"chat (?:de )?whatsapp (?:con|com)\s+(.+)",
        r"(?:discussion|conversation) whatsapp avec\s+(.+)",
        r"conversas? do whatsapp com\s+(.+)",
        r"чат whatsapp с(?: контактом)?\s+(.+)",
        r"(?:obrolan|chat) whatsapp dengan\s+(.+)",
        r"[与與](.+?)的\s*whatsapp\s*(?:聊天(?:记录|記錄)?|對話|对话)",
        r"(.+?)(?:との|と)\s*whatsapp\s*(?:チャット|トーク)",
        r"(.+?)\s*님과의 whatsapp 대화",
        r"(.+?) ile whatsapp sohbeti",
    )
)
_COPY_NUMBER = re.compile(r"\s*\(\d{1,2}\)$")  # browsers add it to a second download

_EDITED = re.compile(
    r"<[^<>\n]*(?:edited|bearbeitet|edit[oó]|editad[ao]|modifi|modificato|bewerkt"
    r"|изменен|編輯|编辑|編集|수정|düzenlendi)[^<>\n]*>",
    re.IGNORECASE,
)
_LONGEST_REMARK = 60
_OMITTED = (
    "omitted|omitid[ao]s?|ocult[ao]s?|ocultad[ao]s?|ausgeschlossen|weggelassen|omis|omise|absente?"
    "|omess[aoi]|weggelaten|без медиафайлов|пропущен|省略[^<>]*|忽略[^<>]*|略去|含まれていません"
    "|제외했습니다|생략[^<>]*|dahil edilmedi|tidak disertakan|pominięto[^<>]*|utelämnades"
    "|تم استبعاد[^<>]*"
)
_ATTACHED = (
    "attached|file attached|angehängt|datei angehängt|adjunto|archivo adjunto|pièce jointe"
    "|fichier joint|allegato|file allegato|anexado|arquivo anexado|bijgevoegd|bestand bijgevoegd"
    "|файл добавлен|附件|文件附件|檔案已附加|添付ファイル|첨부|파일 첨부됨|첨부됨"
)
_THING = (
    "image|video|audio|sticker|gif|document|contact card|video note|voice message|imagen|foto|vídeo"
    "|documento|tarjeta de contacto|bild|dokument|kontaktkarte|vidéo|fiche contact|immagine"
    "|imagem|áudio|figurinha|afbeelding|图片|视频|音频|贴图|文档|圖片|影片|音訊|貼圖|文件|画像|動画|音声"
    "|スタンプ|изображение|видео|аудио|документ|стикер|사진|동영상|오디오|스티커"
)
_MEDIA = re.compile(
    rf"<[^<>\n]{{0,40}}(?:{_OMITTED})>"
    rf"|(?:[^\n]{{1,200}}[{MARKS} ])?(?:{_THING})(?: |は|を|已)?(?:{_OMITTED})"
    rf"|<(?:{_ATTACHED})\s?[:：][^<>\n]+>"
    rf"|[^\n]{{1,200}}\.\w{{2,5}}[{MARKS}]* (?:\((?:{_ATTACHED})\)|<[{MARKS}]*(?:{_ATTACHED})>)"
    r"|null",
    re.IGNORECASE,
)
_DELETED = re.compile(
    r"(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht"
    r"|du hast diese nachricht gelöscht|se eliminó este mensaje|este mensaje fue eliminado"
    r"|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message"
    r"|(?:esta )?mensagem (?:foi )?apagada|você apagou esta mensagem"
    r"|questo messaggio è stato eliminato|hai eliminato questo messaggio|dit bericht is verwijderd"
    r"|u hebt dit bericht verwijderd|данное сообщение удалено|вы удалили данное сообщение"
    r"|(?:此|这条|這則)(?:消息|訊息)已(?:被)?[删刪]除|[你您]已?[删刪]除了?(?:此|这条|這則)(?:消息|訊息)"
    r"|このメッセージは削除されました|삭제된 메시지입니다|تم حذف هذه الرسالة|bu mesaj silindi)"
    r"(?: by [^\n]{1,60})?[.。]?",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"(?:missed|verpasster|cuộc gọi)[^\n]{0,20} call|missed (?:group )?(?:voice|video) call"
    r"|(?:verpasster )(?:sprach|video)anruf|(?:llamada|videollamada) perdida|(?:llamada de (?:voz|"
    r"video)) perdida|appel (?:vocal|vidéo) manqué|chiamata (?:vocale|video)?\s?persa"
    r"|(?:ligação|chamada) de (?:voz|vídeo) perdida|gemiste (?:spraak|video)oproep"
    r"|пропущенный (?:аудио|видео)звонок|(?:未接|错过)[^\n]{0,6}(?:通话|通話|来电|來電)"
    r"|不在着信|부재중 [^\n]{0,6}통화",
    re.IGNORECASE,
)
_ENCRYPTION = re.compile(
    r"(?:messages (?:and calls|to this (?:chat|group)|you send to this)|nachrichten und anrufe"
    r"|nachrichten(?:,| an) |los mensajes y las llamadas|los mensajes (?:en|y llamadas)"
    r"|les messages et (?:les )?appels|i messaggi e le chiamate|as mensagens e (?:as )?(?:ligações|"
    r"chamadas)|berichten en (?:gesprekken|oproepen)|сообщения и звонки"
    r"|消息和通话|訊息[和及]通話"
    r"|メッセージと通話|메시지와 통화)",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"\b(?:created (?:the |this )?group|changed (?:the|this|their|to|your)|security code"
    r"|added you|were added|joined using|disappearing messages|pinned a message"
    r"|hat (?:die gruppe|den betreff|das gruppen|die gruppen)|sicherheitsnummer"
    r"|creó (?:el|este) grupo|cambió (?:el|la|de|este)|código de seguridad"
    r"|a (?:créé|changé|modifié) (?:le|la|l)|code de sécurité|ha (?:creato|cambiato|modificato)"
    r"|criou (?:o|este) grupo|mudou (?:o|a|de)|código de segurança|heeft (?:de groep|het onderwerp)"
    r"|создал(?:\(-?а\)|а)? группу|изменил(?:\(-?а\)|а)? )"
    r"|[创創建]建?立?了?群|更改了|变更了|已變更|グループを作成|変更しました|그룹을 만들|변경했",
    re.IGNORECASE,
)
_GROUP_NAME = re.compile(r"created (?:the |this )?group [\"“«„](.{1,100}?)[\"”»“]", re.IGNORECASE)


def parse_chat_name(document_name: str) -> str | None:
    """Return the name of the person or group of a chat, from that of its file; None without one.

    iPhones name every chat `_chat.txt` and put the name on the archive around it.
    """
    folder, _, name = document_name.rstrip("/").rpartition("/")
    name = _strip_suffix(name, ".txt")
    if name.casefold() in ("_chat", "chat"):
        name = _strip_suffix(folder.rpartition("/")[2], ".zip")
    for pattern in _FILE_NAMES:
        if match := pattern.fullmatch(name):
            return _COPY_NUMBER.sub("", match[1]).strip() or None
    return name.strip() if name not in ("", "-", ".", "..") else None


def parse_group_name(line: str) -> str | None:
    """Return the name of the group whose creation a line reports; None for any other line."""
    match = _GROUP_NAME.search(line[:300])
    return match[1] if match else None


def is_event(text: str) -> bool:
    """Return whether the text in the place of a name is a sentence of WhatsApp's own."""
    return _EVENT.search(text) is not None


def is_encryption_notice(text: str) -> bool:
    """Return whether a text is the notice that begins every chat."""
    return _ENCRYPTION.match(text.lstrip(MARKS)) is not None


def strip_remarks(text: str) -> str:
    """Return a message's text as its sender wrote it, without the marks and remarks around it."""
    invisible = f"{MARKS} \t\r\n\u202f\0"
    text = text.strip(invisible)
    at = text.rfind("<") if text.endswith(">") else -1
    if at >= 0 and len(text) - at <= _LONGEST_REMARK and _EDITED.fullmatch(text, at):
        text = text[:at].rstrip(invisible)
    return text.strip()


def classify_text(text: str) -> Kind:
    """Return the kind of a turn with this text, after `strip_remarks`."""
    if len(text) > 300:
        return Kind.TEXT
    bare = re.sub(f"[{MARKS}]", "", text)
    if not bare or _MEDIA.fullmatch(bare):
        return Kind.MEDIA
    if _DELETED.fullmatch(bare):
        return Kind.DELETED
    return Kind.TEXT


def is_call_notice(text: str) -> bool:
    """Return whether a line of WhatsApp's own reports a call."""
    return _CALL.match(text.lstrip(MARKS)) is not None


def _strip_suffix(name: str, suffix: str) -> str:
    """Return a name without a suffix, which may be in either case."""
    return name[: -len(suffix)] if name.casefold().endswith(suffix) else name
