"""Documents that people share as files are resources; what else they send is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.capture.attachments import LONGEST_NAME, Document, read_document
from plugins.knowledge.capture.links import LONGEST_LABEL, LONGEST_NOTE

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

DOCUMENTS = [
    ("guide.pdf", "application/pdf", "pdf"),
    ("GUIDE.PDF", None, "pdf"),
    ("guide.pdf", "application/octet-stream", "pdf"),
    ("plan.docx", DOCX, "docx"),
    ("plan.docx", "application/zip", "docx"),
    ("budget.xlsx", "application/zip", "xlsx"),
    ("slides.pptx", "", "pptx"),
    ("text.odt", "application/vnd.oasis.opendocument.text", "odt"),
    ("book.epub", "application/epub+zip", "epub"),
    ("scan.djvu", "image/vnd.djvu", "djvu"),
    ("notes.md", "text/plain", "md"),
    ("list.csv", "application/vnd.ms-excel", "csv"),
    ("notes.txt", "text/plain; charset=utf-8", "txt"),
    ("Report v1.2", "application/pdf", "pdf"),
    ("Carta al Sr. Director", "APPLICATION/PDF", "pdf"),
    ("no ending", "text/plain", "txt"),
]

OTHERS = [
    ("photo.png", "image/png"), ("scan.pdf", "image/png"), ("talk.mp3", "audio/mpeg"), ("film.mp4", "video/mp4"),
    ("all.zip", "application/zip"), ("all.7z", "application/octet-stream"), ("setup.exe", "application/pdf"),
    ("guide.pdf.exe", "application/pdf"), ("guide.pdf", "application/x-msdownload"), ("run.sh", "text/plain"),
    ("page.html", "text/html"), ("guide\u202efdp.exe", None), ("no ending", None), ("", None),
    ("no ending", "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "mimetype", "kind"), DOCUMENTS)
def test_documents_are_resources(name: str, mimetype: str | None, kind: str) -> None:
    found = read_document(name, mimetype=mimetype)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(("name", "mimetype"), OTHERS)
def test_what_is_no_document_is_no_resource(name: str, mimetype: str | None) -> None:
    assert read_document(name, mimetype=mimetype) is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("integrity-development-guide.pdf", "integrity development guide"),
        ("anti-corruption_guide_2023.pdf", "anti-corruption guide 2023"),
        ("Anti-corruption guide (2).pdf", "Anti-corruption guide"),
        ("integrity-guide (1).pdf", "integrity guide"),
        ("Gu%C3%ADa%20de%20regalos.pdf", "Guía de regalos"),
        ("report.final.2023.pdf", "report final 2023"),
        ("2023-11.pdf", "2023-11.pdf"),
        ("../../etc/Plan.docx", "Plan"),
        ("C:\\Users\\ana\\Plan de acción.docx", "Plan de acción"),
        ("a\u202eb\x07c.pdf", "abc"),
    ],
)
def test_a_readable_title_comes_from_the_name(name: str, title: str) -> None:
    found = read_document(name)
    assert found is not None
    assert found.title == title


def test_a_body_beside_a_file_name_is_a_caption() -> None:
    assert read_document(
        "The new #gifts policy, TLP:AMBER",
        filename="policy.pdf",
        mimetype="application/pdf",
        size=1024,
    ) == Document(
        name="policy.pdf",
        kind="pdf",
        title="policy",
        mimetype="application/pdf",
        size=1024,
        note="The new #gifts policy, TLP:AMBER",
        hashtags=("gifts",),
        label="amber",
    )
    plain = read_document("policy.pdf", filename="policy.pdf")
    assert plain is not None
    assert plain.note == ""


@pytest.mark.parametrize(
    ("body", "filename"),
    [
        ("TLP:RED", "list.pdf"),
        ("!nolog please", "list.pdf"),
        ("list_TLP-RED.pdf", None),
        ("TLP_RED_list.pdf", None),
    ],
)
def test_a_file_that_is_not_to_be_kept_is_not(body: str, filename: str | None) -> None:
    assert read_document(body, filename=filename) is None


def test_a_label_in_the_name_counts() -> None:
    found = read_document("TLP-AMBER minutes.pdf")
    assert found is not None
    assert found.label == "amber"


@pytest.mark.parametrize("size", [-1, 2**60])
def test_a_size_that_cannot_be_is_unknown(size: int) -> None:
    found = read_document("guide.pdf", size=size)
    assert found is not None
    assert found.size is None


names = st.text(max_size=20) | st.text(max_size=300).map("{}.pdf".format)


@given(names, st.none() | names, st.none() | st.text(), st.none() | st.text(), st.none() | st.integers())
def test_any_file_message_can_be_read(
    body: str, filename: str | None, html: str | None, mimetype: str | None, size: int | None
) -> None:
    found = read_document(body, filename=filename, html=html, mimetype=mimetype, size=size)
    if found is not None:
        assert found.title.strip()
        assert len(found.name) <= LONGEST_NAME
        assert len(found.title) <= LONGEST_NAME
        assert len(found.note) <= LONGEST_NOTE
        assert len(found.mimetype or "") <= LONGEST_LABEL
