"""
A Dojo that runs on a laptop: registration, payment intents, events and the EPOS tester tool, without a key of Dojo's.
"""
