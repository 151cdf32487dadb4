"""The app in a browser: served on this machine alone, for whoever knows its address.

`textual-serve` draws an app of Textual in a page: each page starts a process of its own that runs
the app (`python -m regtui.web`) and talks to it by a websocket. What is added here (`server.py`) is
who may:

- it listens on the loopback interface only, so that no other machine reaches it;
- every address begins with a random token, made anew at each start; whatever else is
  asked for, page, websocket or file, is refused with 403, before it is looked up;
- a request has to name this machine as its host, and a websocket its own page as origin, so that no
  page from elsewhere gets in by a name that was turned to this machine;
- the page loads nothing from elsewhere, and its address is in no Referer.

What is not promised: who may read the memory or the screen of who runs it, or his browser's
history, knows the address. It is read-only unless he asked for more.
"""
