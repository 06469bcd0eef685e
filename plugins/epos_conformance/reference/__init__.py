"""
The reference EPOS: a till system that keeps every rule of the contract, and can be made to break each of them.
"""
