"""Record batches, format 2: their header, their records, their codecs.  Pure functions on bytes."""
