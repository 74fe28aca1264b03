"""The inline XML of i2b2 2006."""

from deidlab.corpora import i2b2_2006, i2b2_2014
from deidlab.types import Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def test_other_encodings_are_read_as_declared(tmp_path):
    content = '<?xml version="1.0" encoding="{}"?><ROOT><RECORD ID="1"><TEXT>Zoë</TEXT></RECORD></ROOT>'
    (tmp_path / "a.xml").write_bytes(content.format("ISO-8859-1").encode("latin-1"))
    assert [document.text for document in i2b2_2006.read(tmp_path, Losses())] == ["Zoë"]
    (tmp_path / "a.xml").write_bytes('<?xml version="1.0" encoding="UTF-16"?><r><TEXT>Zoë</TEXT></r>'.encode("utf-16"))
    assert [document.text for document in i2b2_2014.read(tmp_path, Losses())] == ["Zoë"]


def test_i2b2_2006_spans_come_from_inline_elements_nested_ones_too(tmp_path):
    (tmp_path / "train.xml").write_text(
        '<ROOT>\n<RECORD ID="7">\n<TEXT>Dr. <PHI TYPE="DOCTOR">Lee &amp; Co</PHI>, '
        '<PHI TYPE="HOSPITAL">St. <PHI TYPE="LOCATION">Bo</PHI></PHI>.</TEXT>\n</RECORD>\n'
        '<RECORD ID="8"><TEXT/></RECORD></ROOT>'
    )
    first, second = i2b2_2006.read(tmp_path, Losses())
    assert first.text == "Dr. Lee & Co, St. Bo."
    assert found(first) == [("Lee & Co", "DOCTOR"), ("St. Bo", "HOSPITAL"), ("Bo", "LOCATION")]
    assert (second.id, second.text) == ("8", "")
