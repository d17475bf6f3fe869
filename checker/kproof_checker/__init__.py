"""The checker: engines, traces and the command line.

It is the court before which the two witnesses stand, so it alone may import both `kproof_spec`
and `kproof_impl`.
"""
