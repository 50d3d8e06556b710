"""File formats of link collections, for `faro import` and `faro export`. No database, no network.

`registry` lists the formats and detects them; `item` is the data model between files and index; `validation` checks
everything that is read. Then a file per format:

| format | reads | writes | what survives a round trip |
|---|---|---|---|
| `json` | yes | yes | everything of an `Item` |
| `csv` | yes | yes | the same; tables of other programs are read by their column names |
| `netscape` | yes | yes | address, one title, one note, topics, first date (seconds), whether it is `amber` |
| `linkding`, `shaarli` | yes | no | |
| `markdown`, `rss` | no | yes | shown: address, one title, one note, topics, first date; RSS also language and author |

Writers write all they are given: access is decided before.
"""
