"""`automl doctor`: what an account, or the repository, would refuse, found before anything is paid.

It only reads, and costs nothing. Each module looks at one thing; what the caller may not see is a row of its own.
"""
