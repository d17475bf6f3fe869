"""The specification: what must hold of Kafka's protocols, and why.

State machines, their properties, and the wrong variants that show each property has teeth. The
package needs the standard library and nothing else, so that a reader can follow every line of it.

It never imports `kproof_impl` or `kproof_checker`. The specification and the broker are two
witnesses: were one to call the other, comparing them would compare a thing with itself.
"""
