"""PDFs come back as pictures of their pages: no text layer, no form, no information about the document."""

from io import BytesIO

import numpy as np
import pytest

from deidlab.images.boxes import mask_of
from deidlab.images.formats.pdf import Pdf
from deidlab.images.formats.source import Limits
from deidlab.images.layout import arranged
from deidlab.types import DataError

pdfium = pytest.importorskip("pypdfium2", reason='needs pip install "deidlab[image]"')


def objects(*bodies: str) -> bytes:
    """A PDF of these objects, the first of which is the catalogue; the fifth, if any, tells about the document."""
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    info = " /Info 5 0 R" if len(bodies) > 4 else ""
    size = len(bodies) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R{info} >>"
    return content + f"{tail}\nstartxref\n{len(content)}\n%%EOF".encode()


def typed(drawing: str, rotate: int = 0) -> bytes:
    """One page of 300 by 200 points with this content, by Anne Smith."""
    return objects(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Rotate {rotate} /Contents 4 0 R /Resources "
        "<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream",
        "<< /Author (Anne Smith) /Title (Anne Smith) >>",
    )


TEXT = typed("BT /F 20 Tf 30 150 Td (Anne Smith) Tj ET")
VECTORS = typed("30 30 100 50 re f")


def source(tmp_path, content: bytes, **limits) -> Pdf:
    (tmp_path / "a.pdf").write_bytes(content)
    return Pdf(tmp_path / "a.pdf", Limits(**limits))


def rewritten(pdf: Pdf, masks) -> tuple[bytes, object]:
    stream = BytesIO()
    pdf.write(stream, masks, "black")
    return stream.getvalue(), pdfium.PdfDocument(stream.getvalue())


def no_mask(page, height, width):
    return np.zeros((height, width), bool)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_text_layer_lies_over_its_ink(tmp_path, rotate):
    pdf = source(tmp_path, typed("BT /F 20 Tf 30 150 Td (Anne Smith) Tj ET", rotate), dpi=100)
    page = pdf.page(0)
    (reading,) = pdf.printed(0)
    assert arranged(reading.words).text == "Anne Smith"
    assert all(word.box.width > word.box.height for word in reading.words), "it is laid out as it is read"
    mask = mask_of([word.box.padded(1, 1) for word in reading.words], reading.to_page, *page.shape[:2])
    assert (page < 128).any() and (page[~mask] > 128).all() and mask.mean() < 0.1


def test_the_output_is_pictures_of_the_same_size_without_text_or_author(tmp_path):
    pdf = source(tmp_path, TEXT, dpi=100)
    before = pdf.page(0)
    content, after = rewritten(pdf, no_mask)
    told = list(after.get_metadata_dict().values())  # the seventh is when it was made: now
    assert b"Smith" not in content and set(filter(None, told)) == {"PDFium", told[6]}
    assert after[0].get_textpage().get_text_range() == ""
    assert after[0].get_size() == pytest.approx((300, 200), abs=0.8)
    again = after[0].render(scale=100 / 72).to_numpy()[: before.shape[0], : before.shape[1], 0]
    assert np.abs(again.astype(int) - before).mean() < 1


def test_what_is_covered_is_black(tmp_path):
    _, after = rewritten(source(tmp_path, TEXT, dpi=100), lambda page, h, w: np.ones((h, w), bool))
    assert after[0].render(scale=1).to_numpy().max() < 10


def test_a_page_of_vectors_has_no_text_layer_and_is_drawn(tmp_path):
    pdf = source(tmp_path, VECTORS)
    assert pdf.printed(0) == () and (pdf.page(0) < 50).sum() > 1000


def test_broken_large_and_empty_files_are_errors(tmp_path):
    with pytest.raises(DataError, match="whole PDF"):
        len(source(tmp_path, TEXT[:60]))
    with pytest.raises(DataError, match="max-megapixels"):
        source(tmp_path, TEXT, megapixels=0.01).page(0)
    empty = objects("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>")
    with pytest.raises(DataError, match=r"no pages|whole PDF"):
        len(source(tmp_path, empty))


def test_an_encrypted_file_says_how_to_go_on(tmp_path):
    locked = TEXT.replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R /ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"11" * 32 + b"> /U <"
        + b"22" * 32 + b"> >>",
    )  # fmt: skip
    with pytest.raises(DataError, match=r"encrypted.*decrypt"):
        len(source(tmp_path, locked))
