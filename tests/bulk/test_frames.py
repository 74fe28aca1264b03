"""Frames go through as Spark hands them out: an iterator in, an iterator out, a row a row."""

import pytest

pd = pytest.importorskip("pandas")

from deidlab.bulk.frames import deidentified_frames  # noqa: E402
from deidlab.types import ConfigError  # noqa: E402


def test_texts_change_and_everything_else_stays():
    frames = [
        pd.DataFrame({"n": [1, 2, 3], "text": ["Seen on 03/04/2012.", None, "bad \0"], "mrn": ["a", "b", "c"]}),
        pd.DataFrame({"n": [4], "text": [""], "mrn": [None]}, index=[9]),
        pd.DataFrame({"n": [], "text": [], "mrn": []}),
    ]
    first, second, empty = deidentified_frames(iter(frames), None, patient_column="mrn", style="tag")
    assert first["n"].tolist() == [1, 2, 3] and first["mrn"].tolist() == ["a", "b", "c"]
    assert "03/04" not in first["text"][0] and first["text"][0].startswith("Seen on ")
    assert first["text"].isna().tolist() == [False, True, True]
    assert first["failed"].isna().tolist() == [True, True, False]
    assert first["failed"][2].startswith("frame 0 row 2: NUL at character 4")
    assert (second["text"].tolist(), second.index.tolist(), len(empty)) == ([""], [9], 0)
    assert frames[0]["text"][0] == "Seen on 03/04/2012.", "what came in is not changed"


def test_a_key_and_a_patient_give_the_same_surrogates_in_every_frame():
    frames = [pd.DataFrame({"text": ["Dr. Smith called"], "p": ["7"]}) for _ in range(2)]
    first, second = deidentified_frames(
        frames, None, patient_column="p", style="surrogate", key="5f1c9a70e3b84d26a91e7c30d4f2b865"
    )
    assert first["text"][0] == second["text"][0] != "Dr. Smith called"


def test_columns_that_are_not_there_are_named():
    with pytest.raises(ConfigError, match="no column 'body'; the columns: text"):
        list(deidentified_frames([pd.DataFrame({"text": ["a"]})], None, text_column="body"))
    with pytest.raises(ConfigError, match="a column 'failed' already"):
        list(deidentified_frames([pd.DataFrame({"text": ["a"], "failed": [1]})], None))


def test_a_patient_is_one_where_a_null_makes_pandas_write_floats():
    texts = ["Seen on 03/04/2012.", "Seen on 03/04/2012."]
    frames = [pd.DataFrame({"text": texts, "mrn": mrn}) for mrn in ([123, 123], [123, None], [2**53 + 1, None])]
    frames.append(pd.DataFrame({"text": pd.array([texts[0], None], "string"), "mrn": pd.array([123, None], "Int64")}))
    first, second, large, nullable = deidentified_frames(
        frames, None, patient_column="mrn", style="surrogate", key="5f1c9a70e3b84d26a91e7c30d4f2b865"
    )
    assert first["text"][0] == second["text"][0] == nullable["text"][0] != texts[0]
    assert "give the patient column as strings" in large["failed"][0]
    assert nullable["text"].isna().tolist() == [False, True]
