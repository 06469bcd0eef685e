"""
What is made of results when runs are over: several folders merged into one, and a summary for people.
"""
