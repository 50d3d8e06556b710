"""Recognises block pages by title: challenges, logins, consent forms and error pages served instead of the page.

They often have status 200. Only a whole title, or a whole part of it between separators, matches: an article may be
titled “Access denied: how customs lost its keys”.
"""

from __future__ import annotations

import re
import unicodedata

_SEPARATOR = re.compile(r"\s[|·•–—-]+\s|\s?\|\s?")
_BLOCK_PAGE_TITLES = re.compile(
    r"""(?:\d{3}\s)?(?:
    # challenges
    just\ a\ moment | attention\ required!? | (?:please\ )?wait(?:\ a\ moment)? | one\ moment(?:\ please)? | un\ momento
    | un\ instant | um\ momento | ddos-guard
    | checking\ your\ browser.* | verifying\ you\ are\ human.* | security\ check
    | are\ you\ (?:a\ )?(?:human|robot)\?? | robot\ check | human\ verification | captcha | pardon\ our\ interruption
    | you\ have\ been\ blocked | client\ challenge | making\ sure\ you're\ not\ a\ bot!?
    # logins
    | (?:please\ )?(?:log|sign)\ ?in(?:\ or\ sign\ up|\ to\ continue)? | login(?:\ page|\ required)?
    | authentication(?:\ required)?
    | inicia(?:r)?\ sesión | acceso\ de\ usuarios | connexion | (?:se\ )?connecter | connectez-vous
    | iniciar\ sessão | fazer\ login | entrar | single\ sign-?on
    # consent
    | before\ you\ continue.* | antes\ de\ (?:continuar|ir).* | avant\ d[e'’]\ ?(?:continuer|accéder).*
    | we\ value\ your\ privacy
    # errors
    | (?:error\ )?[45]\d\d | error(?:\ [45]\d\d)?(?:\ page)? | erreur(?:\ [45]\d\d)? | erro(?:\ [45]\d\d)?
    | (?:page|file|document|article)?\ ?not\ found | (?:access|permission)\ denied | forbidden | unauthori[sz]ed
    | bad\ (?:request|gateway) | (?:service|site|page)\ (?:temporarily\ )?unavailable | internal\ server\ error
    | (?:gateway|request)\ time-?out | too\ many\ requests
    | (?:the\ )?(?:page|resource)\ (?:cannot|could\ not)\ be\ found
    | page\ non\ trouvée | page\ introuvable | accès\ (?:refusé|interdit) | página\ no\ encontrada | acceso\ denegado
    | no\ encontrad[ao] | página\ não\ encontrada | acesso\ negado | não\ encontrad[ao]
    | (?:site\ )?(?:under|down\ for)\ (?:construction|maintenance) | account\ suspended | domain\ (?:is\ )?for\ sale
    | welcome\ to\ nginx!? | apache2\ .*default\ page.* | iis\ windows\ server | index\ of\ /
    )""",
    re.VERBOSE,
)


def is_block_page(title: str) -> bool:
    """Whether this (tidied) title belongs to a block page."""
    folded = unicodedata.normalize("NFC", title).casefold().replace("’", "'")
    parts = [folded, *_SEPARATOR.split(folded)]
    return any(_BLOCK_PAGE_TITLES.fullmatch(part.strip(" .…!")) for part in parts)
