"""
Mistakes that partners make: each breaks the rules it names.
"""
