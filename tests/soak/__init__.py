"""The soak: random queries over servers that fail at random, for minutes.

Every answer is compared with the rows that there are; what did not come must have been said. In the
end nothing may be left behind. `python -m tests.soak 10 --seed 3 --faults 0.05`
"""
