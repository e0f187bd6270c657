// snapshot-create --quiesce: the guest's agent freezes its file systems before the stop and thaws them after.
#include "plan/create_draft.h"

#include <fmt/format.h>

namespace domsnap::plan {

/// How long file systems may be frozen before a process of its own thaws them, come what may.
constexpr uint32_t longest_freeze = 60;

void check_quiesce(const CreateDraft& draft) {
    if (!draft.options.quiesce) return;
    const auto& facts = draft.facts;
    if (!facts.online())
        throw Error(ErrorCode::conflict, "Requested operation is not valid: domain is not running",
                    "the file systems of a guest that was shut down are at rest: leave --quiesce out");
    if (!facts.has_agent)
        throw Error(ErrorCode::unsupported, "argument unsupported: QEMU guest agent is not configured",
                    fmt::format("give domain '{}' a <channel type='unix'> whose <target type='virtio' "
                                "name='org.qemu.guest_agent.0'/>, and install qemu-guest-agent in the guest",
                                facts.live.name));
    if (facts.state != model::SnapshotState::running)
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' is {}: its agent cannot freeze its file systems",
                                facts.live.name, model::to_string(facts.state)),
                    "resume it first, or leave --quiesce out");
    if (!facts.agent_problem.empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' cannot be quiesced: {}", facts.live.name, facts.agent_problem),
                    "see to the agent in the guest, or leave --quiesce out");
}

void plan_freeze(CreateDraft& draft) {
    if (draft.options.quiesce) draft.plan.steps.push_back(FreezeGuest{longest_freeze});
}

void plan_thaw(CreateDraft& draft) {
    if (draft.options.quiesce) draft.plan.steps.push_back(ThawGuest{longest_freeze});
}

} // namespace domsnap::plan
