"""The checks of the group models: every variant, every mutant, and what each must find."""

from dataclasses import replace

from kproof_spec.catalog_types import Check, Entry, check, family, mutant_checks

from . import (
    cooperative,
    eager,
    member_ids,
    mutants,  # noqa: F401 - gives the eager model its mutants
    offsets,
    offsets_claims,  # noqa: F401 - gives the model of offsets its properties and mutants
    settling,
    settling_claims,  # noqa: F401 - gives the model of rest its properties and mutants
    static_members,
    sticky,
)

ENTRIES: dict[str, Entry] = {
    "group": family(
        "A consumer group: generations, barriers, who owns what (the classic protocol)",
        eager.model,
        sticky.model,
        cooperative.model,
        default="eager",
    ),
    "group_offsets": family(offsets.model.title, offsets.model),
    "group_settling": family(settling.model.title, settling.model),
    "group_member_ids": family(
        "Member ids of a group, dynamic and static", member_ids.model, static_members.model
    ),
}

_IDLE = ("a_member_is_idle",)
_FAILOVER = ("a_group_outlives_its_coordinator", "a_generation_is_lost")
_TWO_GROUPS = ("groups_read_at_their_own_pace",)
_OUTLIVES = "a_commit_outlives_its_coordinator"
_GOES_ON = "an_owner_goes_on_where_another_stopped"
_ONE_GROUP = (_OUTLIVES, *_TWO_GROUPS)
_TWO_MEMBERS = ("a_zombie_commits", "a_record_is_processed_twice")


def _group(members: int, partitions: int, generations: int, failovers: int) -> dict[str, int]:
    return {
        "members": members,
        "partitions": partitions,
        "max_generation": generations,
        "max_failovers": failovers,
    }


def _offsets(
    groups: int, members: int, records: int, generations: int, failovers: int
) -> dict[str, int]:
    return {
        "groups": groups,
        "members": members,
        "records": records,
        "max_generation": generations,
        "max_failovers": failovers,
    }


_GROUP, _OFFSETS, _IDS = (ENTRIES[n] for n in ("group", "group_offsets", "group_member_ids"))
_SETTLING = ENTRIES["group_settling"]
_NO_EXCHANGE = ("a_partition_changes_hands",)


def _settling(
    members: int,
    partitions: int,
    failures: int,
    unreachable: tuple[str, ...] = (),
    size: str = "small",
) -> Check:
    scope = {"members": members, "partitions": partitions, "max_failures": failures}
    one = check("group_settling", _SETTLING, scope, unreachable=unreachable, size=size)
    return _with_liveness(one)


def _with_liveness(one: Check) -> Check:
    """The check with a verdict for what happens in the end."""
    broken = one.mutant in {"has_session_after_the_first_heartbeat", "may_keep_nothing"}
    verdict = "violated" if broken else "exhausted"
    return replace(one, expected={**one.expected, "the_group_comes_to_rest": verdict})


_CORRECT: list[Check] = [
    check("group", _GROUP, _group(2, 2, 3, 1), unreachable=_IDLE),
    check("group", _GROUP, _group(2, 1, 3, 1)),
    check("group", _GROUP, _group(3, 2, 2, 0), unreachable=_FAILOVER),
    check("group", _GROUP, _group(2, 2, 4, 0), variant="sticky", unreachable=_IDLE + _FAILOVER),
    check("group", _GROUP, _group(2, 3, 3, 0), variant="sticky", unreachable=_IDLE + _FAILOVER),
    check("group", _GROUP, _group(2, 2, 5, 0), variant="cooperative", unreachable=_FAILOVER),
    check("group", _GROUP, _group(2, 3, 4, 0), variant="cooperative", unreachable=_FAILOVER),
    check("group_offsets", _OFFSETS, _offsets(1, 2, 2, 3, 1), unreachable=_TWO_GROUPS),
    check("group_offsets", _OFFSETS, _offsets(2, 1, 1, 2, 1), unreachable=_TWO_MEMBERS),
    _settling(2, 2, 2),
    _settling(2, 1, 2, _NO_EXCHANGE),
    check("group_member_ids", _IDS, {"consumers": 2, "member_ids": 4}),
    check("group_member_ids", _IDS, {"consumers": 2, "member_ids": 4}, variant="static"),
]

_MEDIUM: list[Check] = [
    check("group", _GROUP, _group(3, 2, 3, 0), unreachable=_FAILOVER, size="medium"),
    check("group", _GROUP, _group(3, 2, 2, 1), size="medium"),
    check(
        "group",
        _GROUP,
        _group(3, 2, 3, 0),
        variant="sticky",
        unreachable=_FAILOVER,
        size="medium",
    ),
    check(
        "group",
        _GROUP,
        _group(3, 2, 5, 0),
        variant="cooperative",
        unreachable=_FAILOVER,
        size="medium",
    ),
    check("group_offsets", _OFFSETS, _offsets(2, 2, 2, 2, 1), size="medium"),
    _settling(3, 2, 1, size="medium"),
    _settling(3, 3, 1, size="medium"),
]

_MUTANTS: list[Check] = [
    *mutant_checks(
        "group",
        _GROUP,
        {
            "member_rejoin_and_read_on": ("one_owner_in_a_generation",),
            "is_assigned_to_the_leader": ("one_owner_among_members", "one_owner_in_a_generation"),
            "something_is_assigned": ("assignment_is_balanced",),
            "leader_sync_before_storing": (
                "nobody_is_ahead_of_the_coordinator",
                "assignment_waits_for_the_leader",
            ),
            "coordinator_fail_over_to_an_empty_group": (
                "one_owner_in_a_generation",
                "assignment_waits_for_the_leader",
            ),
        },
        unreachable={
            "member_rejoin_and_read_on": _IDLE + _FAILOVER,
            "someone_has_joined": _IDLE + _FAILOVER,
            "is_assigned_to_the_leader": _IDLE + _FAILOVER,
            "something_is_assigned": _FAILOVER,
            "has_anything": _FAILOVER,
            "member_receive_assignment_early": _FAILOVER,
            "coordinator_complete_join_without_leader": _IDLE + _FAILOVER,
            "member_receive_heartbeat_of_any_generation": _IDLE + _FAILOVER,
            "member_receive_heartbeat_and_read_on": _IDLE + _FAILOVER,
            "leader_sync_before_storing": _IDLE,
            "coordinator_fail_over_to_an_empty_group": _IDLE,
            "member_receive_join_and_object": _IDLE + _FAILOVER,
        },
    ),
    *mutant_checks(
        "group",
        _GROUP,
        {
            "may_keep_what_it_remembers": (
                "one_owner_among_members",
                "one_owner_in_a_generation",
                "claims_are_honoured",
            )
        },
        variant="sticky",
        unreachable={
            "may_keep_what_it_remembers": _IDLE + _FAILOVER,
            "has_older_claim": _IDLE + _FAILOVER,
            "may_keep_without_user_data": (
                *_IDLE,
                *_FAILOVER,
                "two_members_claim_one_partition",
            ),
            "has_room_to_get_back_an_even_share": _IDLE + _FAILOVER,
        },
    ),
    *mutant_checks(
        "group",
        _GROUP,
        {
            "leader_sync_at_once": ("one_owner_in_a_generation",),
            "member_is_unknown_and_reads_on": ("one_owner_in_a_generation",),
        },
        variant="cooperative",
        unreachable={
            "leader_sync_at_once": (*_IDLE, "a_partition_waits", *_FAILOVER),
            "member_receive_assignment_and_rest": _FAILOVER,
            "member_is_unknown_and_reads_on": _FAILOVER,
            "has_no_room_to_keep": _FAILOVER,
            "has_room_to_keep_an_even_share": _FAILOVER,
            "has_room_to_keep_everything": ("a_partition_waits", *_FAILOVER),
        },
    ),
    *mutant_checks(
        "group_offsets",
        _OFFSETS,
        {
            "is_accepted_from_anyone": ("acknowledged_commits_survive", "handover_repeats_nothing"),
            "is_accepted_by_member": (
                "old_generations_change_nothing",
                "handover_repeats_nothing",
            ),
            "may_expire_while_quiet": ("handover_repeats_nothing",),
        },
        unreachable={
            "is_accepted_from_anyone": _ONE_GROUP,
            "is_accepted_by_member": _ONE_GROUP,
            "has_sent_a_commit": _ONE_GROUP,
            "may_expire_while_quiet": _ONE_GROUP,
            "keeps_offset_of_everyone": (*_TWO_MEMBERS, _GOES_ON, _OUTLIVES),
            "coordinator_commit_and_refuse_the_sender": _ONE_GROUP,
            "coordinator_commit_before_storing": (*_TWO_MEMBERS, _GOES_ON, *_TWO_GROUPS),
        },
    ),
    *map(_with_liveness, mutant_checks("group_settling", _SETTLING, {})),
    *mutant_checks(
        "group_member_ids",
        _IDS,
        {
            "consumer_join_without_id": ("one_member_for_a_consumer",),
            "consumer_come_back_without_leaving": ("no_phantom_members",),
        },
        unreachable={"consumer_join_without_id": ("an_id_is_wasted",)},
    ),
    *mutant_checks(
        "group_member_ids",
        _IDS,
        {"is_replaced_when_stable": ("replaced_members_are_fenced",)},
        variant="static",
    ),
]

CHECKS: list[Check] = [*_CORRECT, *_MUTANTS, *_MEDIUM]
