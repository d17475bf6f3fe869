"""What the members make of late answers.

A member that is no longer counted goes on for a while, with partitions that are somebody else's by
then.  That cannot be helped: it is a fact of networks.  What can be done is that its commits are
refused (`offsets`), and that it stops as soon as it hears.

But it must not stop for what it hears too late.  A heartbeat that was sent in one generation may be
refused after the member has moved on to the next; then the refusal says nothing about the present.
So a member remembers with each request the generation it was sent in, and looks at the answer only
if it is still in that one (KAFKA-9823).
"""

from kproof_spec.lang import NONE, require

from .membership import model
from .state import MemberId, MemberState, State, reset


@model.action
def member_receive_heartbeat(s: State, member: MemberId) -> None:
    """A member learns that a heartbeat was refused.

    WHO   the member that sent it.
    WHEN  the refusal has come.
    THEN  if it is still in the generation of that heartbeat and not about to join again, it gives
          up everything; else it goes on as if nothing had come.
    REF   KAFKA-9823.
    """
    me = s.member[member]
    # WHEN
    require(s.heartbeat.member == member)
    require(s.heartbeat.is_refused)
    # THEN
    is_stable = me.state == MemberState.STABLE
    if is_stable and me.generation_id == s.heartbeat.generation_id:
        reset(s, member, s.heartbeat.generation_id)
    note_who_reads_on(s, member)
    s.heartbeat.member = NONE
    s.heartbeat.generation_id = 0
    s.heartbeat.is_refused = False


# -- changes ---------------------------------------------------------------------------------------


def note_who_reads_on(s: State, member: MemberId) -> None:
    """Once a refusal was looked at: is the member still in the generation that it speaks of?"""
    me = s.member[member]
    if me.state == MemberState.STABLE and me.generation_id == s.heartbeat.generation_id:
        s.history_read_on_when_refused = True
