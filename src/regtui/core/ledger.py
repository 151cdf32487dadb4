"""The ledger: checks a registry's history from its first operation to its last.

Fed with every operation and verdict in order, it recomputes what each step adds: the place in its
replica's chain, the links of the registry and of the stream, and what a signature states. Nothing
is judged again: an older program may have decided otherwise, and what was decided stays decided.

A replica's chain may have gaps, for what an authority refused has no place in its history, and a
gap may be filled by what it accepted later; but neighbours are held to their digests, and none
comes twice (`regtui.core.replica_chain`).
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from regtui.core import chain
from regtui.core.bundle import OperationRecord, SignatureRecord, damaged
from regtui.core.errors import BadInput
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.shape import check_shape
from regtui.core.operations import Operation, UnknownKind, decode_operation
from regtui.core.replica_chain import Fit, ReplicaChain
from regtui.core.verdicts import Accepted, decode_verdict

Verify = Callable[[bytes, bytes, bytes], bool]
"""Tells whether a public key made a signature over a statement."""


class StreamState(Struct):
    """Where a stream is after the operations so far."""

    head: int = 0
    count: int = 0
    link: bytes = chain.FIRST_LINK
    last_number: int = 0


class Step(Struct, frozen=True):
    """An operation that fits, with its verdict and the links after it."""

    operation: Operation
    verdict: Accepted
    link: bytes
    stream_link: bytes


class Ledger:
    """The state of a history after the operations that it was fed with.

    Args:
        registry: Id of the registry.
        keys: Public key by replica.
        verify: Checks signatures.
        shown: What is read, for errors.
    """

    def __init__(self, registry: str, keys: dict[str, bytes], verify: Verify, shown: str) -> None:
        self._registry = registry
        self._keys = keys
        self._verify = verify
        self._shown = shown
        self._chains: dict[str, ReplicaChain] = {}
        self.seq = 0
        self.link = chain.FIRST_LINK
        self.clock = 0
        self.signed = 0
        self.streams: dict[str, StreamState] = {}

    def follow(self, record: OperationRecord) -> Step:
        """Take in the next operation.

        Raises:
            Damaged: It does not follow on what came before, or a signature is not good.
            BadInput: A newer program made it.
        """
        data, sealed = record.operation.encode(), record.verdict.encode()
        operation, verdict = self._decoded(data, sealed)
        self._extend_chain(operation, data)
        stream = self.streams.setdefault(operation.stream, StreamState())
        self.seq += 1
        if record.seq != self.seq or verdict.op != operation.id:
            raise damaged(self._shown, f"the operation {operation.id} is not where it belongs")
        said = chain.decided(data, sealed)
        self.link = chain.link_on(self.link, said)
        stream.link = chain.link_on(stream.link, said)
        stream.head, stream.count = self.seq, stream.count + 1
        stream.last_number = max(stream.last_number, verdict.number or 0)
        self.clock = max(self.clock, verdict.now)
        for signature in record.signatures:
            self._check(signature)
        return Step(operation, verdict, self.link, stream.link)

    def finish(self, head: int, link: str) -> None:
        """Check that the history ends where it says that it ends, and is signed there.

        Raises:
            Damaged: It does not, or its last operation is not signed though earlier ones are, or
                though a replica that signs made some.
        """
        if (self.seq, self.link.hex()) != (head, link):
            raise damaged(self._shown, "its history does not end where it should")
        never_signed = not self.signed and not self._chains.keys() & self._keys.keys()
        if self.signed != head and not never_signed:
            raise damaged(self._shown, "its last operations are not signed")

    def _decoded(self, data: bytes, sealed: bytes) -> tuple[Operation, Accepted]:
        try:
            operation, verdict = decode_operation(data), decode_verdict(sealed)
            check_shape(operation)  # whoever shows the history goes by it
        except UnknownKind as error:
            raise BadInput(
                f"{self._shown} was made by a newer regtui: it holds {error}", "upgrade regtui"
            ) from None
        except (BadInput, Refusal, msgspec.DecodeError, RecursionError):
            raise damaged(self._shown, f"operation {self.seq + 1} is malformed") from None
        if not isinstance(verdict, Accepted):
            raise damaged(self._shown, f"the operation {operation.id} was never accepted")
        if not 0 <= verdict.now < 2**62:
            raise damaged(self._shown, f"the operation {operation.id} has no time")
        return operation, verdict

    def _extend_chain(self, operation: Operation, data: bytes) -> None:
        known = self._chains.setdefault(operation.replica, ReplicaChain())
        fit = known.take(operation.n, operation.prev, chain.tip(data))
        if fit in {Fit.TWICE, Fit.BROKEN}:
            raise damaged(
                self._shown, f"the operation {operation.id} does not fit its replica's others"
            )

    def _check(self, signature: SignatureRecord) -> None:
        known = self._chains.get(signature.replica, ReplicaChain())
        n, tip = known.n, known.tip
        statement = chain.statement(
            self._registry, signature.replica, n=n, prev=tip, seq=self.seq, last=self.link
        )
        key = self._keys.get(signature.replica)
        try:
            signed = bytes.fromhex(signature.signature)
        except ValueError:
            signed = b""
        if key is None or signature.n != n or not self._verify(key, signed, statement):
            raise damaged(self._shown, f"the signature after operation {self.seq} is not good")
        self.signed = self.seq
