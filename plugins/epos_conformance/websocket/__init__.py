"""
The session with an EPOS over WebSocket, whoever dialled.

Calls are multiplexed over the one connection that the EPOS holds. It ends in the controlling process, in a `Hub` on a
thread of its own; every process of the run asks it through a `Line`, and a check sees a `WebSocketTransport` behind
the same seam as REST. What the EPOS sends unasked, late, twice or unreadably is kept as evidence.
"""
