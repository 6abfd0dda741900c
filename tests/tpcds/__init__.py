"""TPC-DS over REST resources: what its 99 queries ask for, and whether they are answered rightly.

Its texts are under a licence of their own and not kept here; `texts.py` fetches a licensed copy.
"""
