"""The checker's own test of symmetry, under the name that tests know it by."""

from kproof_checker.equivariance import asymmetries, check_symmetry, seen_in

__all__ = ["asymmetries", "check_symmetry", "seen_in"]
