"""Small data sets in the shapes of LoCoMo and LongMemEval, of our own making."""

TALKS = {  # by session: one turn each, of somebody's
    1: ("Ann", "My dog is called Rex."),
    2: ("Bo", "I baked bread with rye today."),
    3: ("Ann", "We moved to Lisbon in spring."),
}


def locomo_question(text="What is the dog called?", *evidence, answer="Rex", category=4):
    return {
        "question": text, "evidence": list(evidence), "answer": answer, "category": category,
    }  # fmt: skip


def locomo_sample(name, *questions, talks=TALKS):
    """A conversation between two people, a turn a session."""
    talk: dict[str, object] = {"speaker_a": "Ann", "speaker_b": "Bo"}
    for number, (speaker, text) in talks.items():
        talk[f"session_{number}_date_time"] = f"4:04 pm on {number} January, 2023"
        talk[f"session_{number}"] = [
            {"speaker": speaker, "dia_id": f"D{number}:1", "text": text},
            {"speaker": "Bo", "dia_id": f"D{number}:2", "text": "I see."},
        ]
    observed = {
        f"session_{number}_observation": {speaker: [[f"{speaker} said: {text}", f"D{number}:1"]]}
        for number, (speaker, text) in talks.items()
    }
    return {
        "sample_id": name, "conversation": talk, "qa": list(questions), "observation": observed,
    }  # fmt: skip


def two_people():
    """Two conversations of different people, three questions each, one of them unanswerable."""
    other = {1: ("Cy", "My parrot is called Max."), 2: ("Di", "The exam went well.")}
    return [
        locomo_sample(
            "one",
            locomo_question("What is the dog called?", "D1:1"),
            locomo_question("Where did Ann move in spring?", "D3:1", answer="Lisbon", category=2),
            locomo_question("What did Bo bake, and where does Ann live?", "D2:1", "D3:1",
                            answer="rye bread, Lisbon", category=1),
        ),
        locomo_sample(
            "two",
            locomo_question("What is the parrot called?", "D1:1", answer="Max"),
            locomo_question("How did the exam go?", "D2:1", answer="well", category=2),
            locomo_question("Nobody said?", answer="no"),
            talks=other,
        ),
    ]  # fmt: skip


def longmemeval_element(name, answer="rex", question="What is my dog called?", **others):
    """A question with a haystack of sessions, each of one turn and an answer."""
    sessions = {answer: "My dog is called Rex.", **others}
    return {
        "question_id": name,
        "question_type": "single-session-user",
        "question": question,
        "question_date": "2023/06/01 (Thu) 10:00",
        "answer": "Rex",
        "answer_session_ids": [answer],
        "haystack_session_ids": list(sessions),
        "haystack_dates": ["2023/05/20 (Sat) 02:21" for _ in sessions],
        "haystack_sessions": [
            [
                {"role": "user", "content": text, "has_answer": own == answer},
                {"role": "assistant", "content": "I see."},
            ]
            for own, text in sessions.items()
        ],
    }
