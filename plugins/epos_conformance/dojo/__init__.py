"""
Dojo's side, as a client: its API, what is registered there, and the flows of the EPOS tester tool.

Works alike against Dojo and against the sandbox that is built in.
"""
