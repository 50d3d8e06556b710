"""What a shared address leads to: fetched safely, read without being harmed, asked for politely.

A library of its own: it knows no database, no hub and no chat. `fetcher.Fetcher` is the way in; it gives `facts.Facts`
or raises `facts.FetchError`, and tells a page's `facts.Health`. Each file answers one question: `ssrf_guard` whether an
address may be fetched at all and which IP addresses are public; `http_client` makes one request to checked addresses
only; `robots` and `throttle` are the manners; `file_type` says what sort of file came; `charset`, `html_head`,
`jsonld`, `html_meta` and `block_pages` read the head of an HTML page in linear time; `pdf` and `pdf_child` read a PDF
in a process with little memory and time. The rules: http and https, ports of the policy, no credentials, no cookies, no
proxy, no private address at any hop (checked as text, at the resolver and at the socket), five redirects, ten seconds,
two megabytes, and whatever a page says is the word of a stranger.
"""
