"""KakaoTalk's four forms."""

from helpers.parsing import document, show_turns

from memcli.formats import load_format, recognise_format

KAKAO = load_format("kakaotalk")
ANDROID = """\ufeff동네 배드민턴 5 카카오톡 대화
저장한 날짜 : 2025년 10월 11일 오전 9:00


2025년 10월 10일 금요일
2025년 10월 10일 오전 10:09, 민수님이 지은님을 초대했습니다.
2025년 10월 10일 오전 10:10, 민수 : 내일 7:00, 체육관 : 2번 문
2025년 10월 10일
둘째 줄
2025년 10월 10일 오후 12:06, 회원님 : 사진 3장
2025년 10월 10일 오후 12:30, 지은 : 파일: 지도.pdf
2025년 10월 11일 토요일
2025년 10월 11일 오후 3:06, 지은 : 삭제된 메시지입니다.
2025년 10월 11일 오후 3:07, 지은 : 보이스톡 3:21
"""


def moments(content, name):
    return [(turn[1][5:16], *turn[2:]) for turn in show_turns(KAKAO, content, name)]


def test_android_text_tells_words_files_calls_and_notices_apart():
    assert show_turns(KAKAO, ANDROID)[0][0] == "동네 배드민턴"
    assert moments(ANDROID, "KakaoTalkChats.txt") == [
        ("10-10T10:09", None, "service", "민수님이 지은님을 초대했습니다."),
        ("10-10T10:10", "민수", "text", "내일 7:00, 체육관 : 2번 문\n2025년 10월 10일\n둘째 줄"),
        ("10-10T12:06", "owner", "media", ""),
        ("10-10T12:30", "지은", "media", "지도.pdf"),
        ("10-11T15:06", "지은", "deleted", ""),
        ("10-11T15:07", "지은", "call", "보이스톡 3:21"),
    ]


def test_ios_text_without_a_title_is_named_after_its_people():
    content = """Talk_2025.10.23 11:50-1.txt
저장한 날짜 : 2025. 10. 23. 오전 11:50


2025년 10월 23일 목요일
2025. 10. 23. 오전 11:44, 민수 : 현관 비밀번호는 8812
2025. 10. 23. 오후 3:06, 지은 : 고마워
2025. 10. 23. 오후 3:07: 민수님이 나갔습니다.
"""

    assert show_turns(KAKAO, content, "Talk_2025.10.23 11:50-1.txt") == [
        ("민수, 지은", "2025-10-23T11:44:00+00:00", "민수", "text", "현관 비밀번호는 8812"),
        ("민수, 지은", "2025-10-23T15:06:00+00:00", "지은", "text", "고마워"),
        ("민수, 지은", "2025-10-23T15:07:00+00:00", None, "service", "민수님이 나갔습니다."),
    ]


def test_windows_text_has_days_between_messages_and_notices_without_a_time():
    content = """민수 님과 카카오톡 대화
저장한 날짜 : 2025-10-23 11:50:00

--------------- 2025년 10월 23일 목요일 ---------------
[민수] [오전 11:44] 현관 [8812] 번호
[지은/92/서울] [오후 3:06] 이모티콘
지은/92/서울님이 나갔습니다.
[민수] [오후 3:08] 네
"""

    assert moments(content, "KakaoTalk_20251023.txt") == [
        ("10-23T11:44", "민수", "text", "현관 [8812] 번호"),
        ("10-23T15:06", "지은/92/서울", "media", ""),
        ("10-23T15:06", None, "service", "지은/92/서울님이 나갔습니다."),
        ("10-23T15:08", "민수", "text", "네"),
    ]


def test_english_forms_are_read_as_well():
    android = """KakaoTalk Chats with Bo Lind
Date Saved : October 11, 2025 9:00 AM

Friday, October 10, 2025
October 10, 2025, 10:09 AM, Bo Lind : the gate is 8812
October 10, 2025, 3:06 PM, You : thanks
"""
    windows = """Bo Lind with KakaoTalk Chats
Date Saved : 2025-10-23 11:50:00

--------------- Thursday, October 23, 2025 ---------------
[Bo Lind] [11:44 AM] the gate is 8812
[Odile] [3:06 PM] Photo
"""

    assert moments(android, "KakaoTalkChats.txt") == [
        ("10-10T10:09", "Bo Lind", "text", "the gate is 8812"),
        ("10-10T15:06", "owner", "text", "thanks"),
    ]
    assert moments(windows, "KakaoTalk_x.txt") == [
        ("10-23T11:44", "Bo Lind", "text", "the gate is 8812"),
        ("10-23T15:06", "Odile", "media", ""),
    ]


def test_the_table_of_macos_has_quotes_and_notices():
    content = (
        "\ufeffDate,User,Message\n"
        '2025-10-23 11:44:01,"민수","민수님이 들어왔습니다."\n'
        '2025-10-23 11:46:01,"민수","그는 ""네"" 라고, 했다\n그리고 갔다"\n'
    )

    assert show_turns(KAKAO, content, "KakaoTalk_Chat_민수_2025-10-23-11-50-00.csv") == [
        ("민수", "2025-10-23T11:44:01+00:00", None, "service", "민수님이 들어왔습니다."),
        ("민수", "2025-10-23T11:46:01+00:00", "민수", "text", '그는 "네" 라고, 했다\n그리고 갔다'),
    ]


def test_other_tables_and_texts_are_left_to_other_formats():
    table = "Date,User,Message\n2025-10-23 11:44:01,Ann,hello\n"

    assert recognise_format(document(table, "team.csv")).name == "generic_csv"
    assert recognise_format(document("2025년 10월 10일 오전 10:09, 일기\n", "notes.txt")) is None


def test_whoever_spoke_can_leave_in_english():
    text = (
        "Minsu with KakaoTalk Chats\nDate Saved : 2025-10-24 09:00:00\n\n"
        "--------------- Thursday, October 23, 2025 ---------------\n"
        "[Minsu] [11:44 AM] The keys have\nThe guests left.\nMinsu left.\n"
    )

    shown = show_turns(load_format("kakaotalk"), text, "chat.txt")

    assert [(speaker, kind, words) for _, _, speaker, kind, words in shown] == [
        ("Minsu", "text", "The keys have\nThe guests left."),
        (None, "service", "Minsu left."),
    ]
