"""Recognises the columns of a table by their names in English, Spanish, French or Portuguese."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from plugins.knowledge.text.folding import fold
from plugins.knowledge.transfer.formats.csv_cells import JSON_COLUMN

_NAMES = {
    "url": "url, uri, link, href, address, web address, website, enlace, direccion, direccion web, vinculo, adresse, "
    "lien, adresse web, endereco, ligacao",
    "title": "title, name, titulo, nombre, titre, nom, nome, website title",
    "note": "note, notes, comment, comments, remark, nota, notas, comentario, comentarios, remarque, commentaire, "
    "commentaires, observacao, observacoes, observacion, observaciones",
    "topics": "topics, topic, tags, tag, tag names, keywords, category, categories, folder, temas, tema, etiquetas, "
    "etiqueta, categorias, categoria, palabras clave, carpeta, sujets, sujet, themes, theme, etiquettes, etiquette, "
    "categorie, mots cles, dossier, assuntos, assunto, topicos, topico, palavras chave, pasta",
    "language": "language, lang, idioma, lengua, langue, lingua",
    "kind": "kind, type, tipo, format, formato",
    "label": "label, tlp",
    "pinned": "pinned, fijado, epingle, fixado",
    "hidden": "hidden, oculto, masque, cache",
    "date": "date, date added, time added, added, created, created at, shared, shared at, add date, fecha, "
    "fecha de creacion, date d'ajout, date de creation, data, data de criacao",
    "shared_by": "shared by, sender, compartido por, partage par, compartilhado por, partilhado por",
    "words": "words, message, palabras, mensaje, mots, palavras, mensagem",
    "description": "description, summary, excerpt, descripcion, resumen, resume, extrait, descricao, resumo, "
    "website description",
    "site": "site, publisher, source, sitio, editorial, fuente, editeur, sitio web, editora, fonte",
    "author": "author, authors, by, autor, autora, autores, auteur, autrice, auteurs",
    "published": "published, publication date, publicado, fecha de publicacion, publie, "
    "date de publication, data de publicacao",
    "votes": "votes, votos, useful, likes",
    "recommended": "recommended",
    "number": "number, numero",
    JSON_COLUMN: JSON_COLUMN,
}
_COLUMN_NAMES = {name: column for column, names in _NAMES.items() for name in names.split(", ")}
_BY_LANGUAGE = re.compile(r"(?P<name>[^:(\[]+?)\s*[:(\[]\s*(?P<language>[a-z]{2,3})\s*[)\]]?")
_DELIMITERS = (",", ";", "\t")


class Column(NamedTuple):
    """A recognised column; `language` is set if the name ends in one: `title:es`, `título (es)`."""

    name: str
    language: str = ""


LABEL, TOPICS = Column("label"), Column("topics")
REPEATABLE = (LABEL, TOPICS)


def columns(cells: Sequence[str]) -> list[Column | None]:
    """The column of each cell of a header; None for unknown names and repetitions. Labels and topics may be
    repeated: the strictest of the labels counts, and all topics."""
    columns: list[Column | None] = []
    for cell in cells:
        column = _column(cell)
        columns.append(None if column in columns and column not in REPEATABLE else column)
    return columns


def detect_delimiter(header: str) -> str | None:
    """The delimiter that gives the most known columns, among them the address; None if none does."""
    counts: Mapping[str, int] = {separator: _count_columns(header, separator) for separator in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda separator: counts[separator])
    return best if counts[best] else None


def _count_columns(header: str, separator: str) -> int:
    try:
        parsed = columns(next(csv.reader([header], delimiter=separator), []))
    except csv.Error:
        return 0
    return sum(column is not None for column in parsed) if Column("url") in parsed else 0


def _column(cell: str) -> Column | None:
    name = " ".join(fold(cell[:80]).replace("_", " ").replace("-", " ").split())
    if name in _COLUMN_NAMES:
        return Column(_COLUMN_NAMES[name])
    if "tlp" in re.findall(r"\w+", name):
        return LABEL
    match = _BY_LANGUAGE.fullmatch(name)
    if match and _COLUMN_NAMES.get(match["name"]) in ("title", "note"):
        return Column(_COLUMN_NAMES[match["name"]], match["language"])
    return None
