"""Programme: members, tiers, rewards, consent, and the actions that recipes do by themselves."""

from hub.programme.members import MEMBERS, Member, MemberView
from hub.programme.roll import Found, Roll
from hub.programme.settings import Programme, ProgrammeView, Reward, Tier
from hub.programme.work import EventInfo, Work

__all__ = [
    "MEMBERS",
    "EventInfo",
    "Found",
    "Member",
    "MemberView",
    "Programme",
    "ProgrammeView",
    "Reward",
    "Roll",
    "Tier",
    "Work",
]
