"""
Parties and reservations of our own: made with particular members, changed, read back, searched for and removed.

The two pages of the contract are near-twins, so a check says which `Kind` it is about and shares the rest.
"""
