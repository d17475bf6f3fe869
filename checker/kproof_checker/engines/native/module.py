"""The compiled code of one problem: IR put together, optimised, and made callable."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm

from kproof_spec.lang import Instance

from ...extraction.decisions import Dag, Failure, Outcome
from ...layout import Layout
from ...symmetry import Symmetry
from .canonical_ir import CanonicalWriter
from .frame import Frame
from .table_ir import TableWriter
from .visit_ir import VisitWriter

DECLARATIONS = """
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.umin.i64(i64, i64)
"""


class Module:
    """Machine code for a problem.  Keep the object while its functions may run."""

    def __init__(
        self,
        layout: Layout,
        actions: Sequence[tuple[Instance, Dag]],
        predicates: Sequence[tuple[Outcome, Sequence[tuple[Instance, Dag]]]],
        symmetry: Symmetry | None,
        *,
        is_shared: bool,
    ) -> None:
        self.frame = Frame(layout.words, len(predicates), len(actions))
        visit = VisitWriter(layout, self.frame, actions, predicates)
        parts = [DECLARATIONS, visit.write()]
        if symmetry is not None:
            parts.append(CanonicalWriter(layout, symmetry).write())
        table = TableWriter(self.frame, is_shared=is_shared, has_symmetry=symmetry is not None)
        parts.append(table.write())
        self.faults: list[tuple[Instance, Failure]] = visit.faults
        self.text = "\n".join(parts)
        self._engine = _compiled(self.text)
        self.run = self._function("run", None, ctypes.c_void_p, ctypes.c_void_p)
        """`run(shared, own)`: visits states until there are none left or the table is full."""
        self.rehash = self._function(
            "rehash", None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
        )
        """`rehash(shared, first, last)`: puts known states into an empty table."""
        self.edges = self._function(
            "edges",
            ctypes.c_int64,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_int64,
        )
        """`edges(shared, own, first, last)`: gathers the steps of some states, with the indexes
        that they lead to in place of the hashes; the first state that is still to do."""
        if symmetry is not None:
            self.canonical = self._function("canonical", None, ctypes.c_void_p)
            """`canonical(row)`: replaces a state's words by its representative's."""

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        address = self._engine.get_function_address(name)
        return ctypes.CFUNCTYPE(result, *arguments)(address)


def _compiled(text: str) -> Any:
    """Machine code for this processor.  ctypes releases the GIL while it runs."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
    )
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
