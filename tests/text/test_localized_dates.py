from datetime import datetime

import pytest
from babel.dates import format_date, format_time

from memcli.text import localized_dates
from memcli.text.localized_dates import parse_localized_date

LANGUAGES = (
    "en de fr es it pt pt_PT nl pl tr ru uk ja ko zh zh_Hant ar he fa hi bn id ms vi th sv da nb fi"
    " cs sk hu ro bg el hr sr sl lt lv et ca af sq hy az be bs ka gl gu is kk km kn ky lo mk ml mr"
    " my ne pa si sw ta te tl ur uz cy ga fil es_419 es_MX fr_CA pt_PT en_GB en_IN de_AT"
).split()


@pytest.fixture(autouse=True)
def _forget():
    localized_dates._recent.clear()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("month", [2, 6, 10, 11])
def test_full_dates_are_read_in_every_language(language, month):
    moment = datetime(2019, month, 17, 21, 4, 36)
    date, clock = (
        format_date(moment, "full", locale=language),
        format_time(moment, "medium", locale=language),
    )

    assert parse_localized_date(f"{date} {clock} UTC") == moment
    assert parse_localized_date(f"{clock} UTC {date}") == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("17 listopada 2019 niedziela 21:04:36", datetime(2019, 11, 17, 21, 4, 36)),  # Polish
        ("17. listopada 2019., četvrtak 21:04:36", datetime(2019, 10, 17, 21, 4, 36)),  # Croatian
        ("๑๗ พฤศจิกายน ๒๕๖๒ ๒๑:๐๔:๓๖", datetime(2019, 11, 17, 21, 4, 36)),  # the year of Buddha
        ("17 de nov. de 2019 21:04", datetime(2019, 11, 17, 21, 4)),
        ("12:04:36 AM Sunday, November 17, 2019", datetime(2019, 11, 17, 0, 4, 36)),
        ("November 2019 10:00:00", None),
        ("17 floreal 2019 10:00:00", None),
        ("31 November 2019 10:00:00", None),
        ("", None),
    ],
)
def test_dates_are_read_by_their_names(text, moment):
    assert parse_localized_date(text) == moment
