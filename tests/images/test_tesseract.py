"""Tesseract's hOCR becomes words; its program is asked where it is installed."""

import pytest

from deidlab.images.layout import arranged
from deidlab.images.tesseract import parsed

HOCR = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><body><div class='ocr_page'>
<span class='ocrx_word' title='bbox 10 4 30 20; x_wconf 62'>
<span class='ocrx_cinfo' title='x_bboxes 10 4 20 20; x_conf 99.5'>N</span>
<span class='ocrx_cinfo' title='x_bboxes 21 4 30 20; x_conf 50.0'>g</span></span>
<span class='ocrx_word' title='bbox 40 4 44 20; x_wconf 95'>
<span class='ocrx_cinfo' title='x_bboxes 40 4 44 20; x_conf 9'> </span></span>
</div></body></html>"""


def test_words_come_with_boxes_and_with_the_lesser_confidence():
    (word,) = parsed(HOCR)
    assert word.text == "Ng" and [s.confidence for s in word.symbols] == [0.62, 0.5]
    assert (word.box.left, word.box.right) == (10, 30)


def test_a_page_is_read(tesseract, picture):
    reading = tesseract.read(picture("Anne Smith was seen", "on 03/04/2012"))
    assert arranged(reading.words).text == "Anne Smith was seen\non 03/04/2012"
    anne = reading.words[0]
    assert [s.text for s in anne.symbols] == list("Anne")
    assert anne.symbols[1].box.left == pytest.approx(anne.symbols[0].box.right, abs=4)
