"""
How a call ends without a reply, in words that travel between processes.
"""

from __future__ import annotations


#: There is no session.
AWAY = "away"
#: Nothing came in time.
TIMEOUT = "timeout"
#: The session ended before the reply.
DROPPED = "dropped"
#: The suite ended it: what came is no message that could be taken.
BROKEN = "broken"
#: A reply came that carries no id of ours, and can be for nothing else.
ASTRAY = "astray"
