"""Collections of links as files: what `faro import` reads and `faro export` writes. No database, no network.

`registry` lists the formats and tells files apart; `item` is what passes between files and index; `validation` is the
one door through which everything read must pass. Then a file per format:

| format | reads | writes | what survives writing and reading again |
|---|---|---|---|
| `json` | yes | yes | everything of an `Item` |
| `csv` | yes | yes | the same; other programs' tables are read by the names of their columns |
| `netscape` | yes | yes | address, one title, one note, topics, first date (seconds), whether it is `amber` |
| `linkding`, `shaarli` | yes | no | |
| `markdown`, `rss` | no | yes | shown: address, one title, one note, topics, first date; RSS also language and author |

Writers write what they are given: who may see which link is decided before.
"""
