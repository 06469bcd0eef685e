"""
Freedoms that partners have: each keeps every rule.
"""
