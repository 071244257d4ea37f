"""Who is sent what, when, and how.

states.py    which problems begin, last and end, and what is reported of each     (pure)
retries.py   when an undelivered message is tried again                           (pure)
content.py   what a message says, as codes and facts                              (pure)
channels.py  who is sent messages: people by e-mail, `NOTIFY_URLS`, `HEALTHCHECK_URL`
reports.py   what happened, compared with what was reported, goes into the outbox
outbox.py    the outbox: written with the event, claimed by one sender at a time
wording.py   a message in one language: subject, plain text, HTML
delivery.py  hands one message over: mail.py, services.py (Apprise), pings.py

event ── reports.report ──> outbox ── delivery.deliver ──> accepted, or tried again later by its reason
"""
