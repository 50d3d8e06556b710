"""Sentences in every language: gettext catalogues, `locales/<language>.po` beside the code that says them."""
