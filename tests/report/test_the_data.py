"""The page's block on the data of a dataset."""

from pipeline.report.sections import the_data


def test_dates_texts_and_own_features_are_named_and_plain_tables_have_no_such_line():
    own = {"file": "features/flights.py", "added": ["route", "leaves"], "left_out": ["month"]}
    quality = {"dates": ["day"], "text": ["remark", "note"], "own_features": own}
    assert the_data.kinds(quality) == [
        "dates: 'day'",
        "free text: 'remark', 'note'",
        "features/flights.py adds 2 and leaves out 1",
    ]
    assert the_data.kinds({"numeric": ["size"], "own_features": None}) == []
