"""The native engine: LLVM IR written from the decision DAGs, compiled when a check begins.

`text` writes IR; `terms_ir` terms and DAGs; `visit_ir` the successor function with the invariants;
`canonical_ir` symmetry; `table_ir` the shared table of states and the loop; `module` puts them
together and compiles; `memory` holds the states; `llvm_engine` is the engine.  Nothing native is
shipped: the text is made by this Python, and llvmlite turns it into machine code in memory.
"""
