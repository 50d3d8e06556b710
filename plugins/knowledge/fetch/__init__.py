"""Fetches metadata and health of shared pages, safely and politely; the jobs that do so in the background.

The entry point is `fetcher.Fetcher`: it returns `facts.Facts` or raises `facts.FetchError`, and reports a page's
`facts.Health`. It knows no database, hub or chat; only `queue`, `jobs` and `link_check` do.

- `ssrf_guard` decides which addresses may be fetched, and which IP addresses are public; `http_client` sends single
  requests, to checked addresses only; `robots` and `throttle` implement robots.txt and the rate limit per host.
- `file_type` detects the kind of a file; `charset`, `html_head`, `jsonld`, `html_meta` and `block_pages` parse the head
  of an HTML page in linear time; `pdf` and `pdf_child` parse a PDF in a process with limited memory and time.

The rules: http and https, ports of the policy, no credentials, no cookies, no proxy, no private address at any hop
(checked in the URL, at the resolver and at the socket), five redirects, ten seconds, two megabytes. Page content is
untrusted.
"""
