#include "plan/firmware.h"

#include "base/text.h"
#include "model/firmware.h"
#include "plan/names.h"

#include <fmt/format.h>

namespace domsnap::plan {

using model::KeptState;
using model::Location;

namespace {

constexpr const char *nvram = "nvram", *tpm = "tpm"; // roles, as the ledger calls them

void check_kept(const CreateDraft& draft, const KeptFacts& kept, const std::string& what) {
    if (draft.facts.online() && !kept.exists)
        throw Error(ErrorCode::conflict,
                    fmt::format("the {} of domain '{}' cannot be saved: {} is not there", what,
                                draft.facts.live.name, kept.file),
                    "somebody removed it while the domain runs: shut the domain down, and start it anew");
    if (kept.size > model::max_flash)
        throw Error(ErrorCode::conflict,
                    fmt::format("the {} of domain '{}' cannot be saved: {} has {}", what,
                                draft.facts.live.name, kept.file, text::human_size(kept.size)));
}

/// The time is part of the name, so that a record that was forgotten and is redefined finds its copies again.
std::optional<KeptState> plan_one(CreateDraft& draft, const std::optional<KeptFacts>& kept,
                                  const char* role) {
    if (!kept) return std::nullopt;
    check_kept(draft, *kept, kept_words(role));
    if (!kept->exists) return KeptState{};
    const auto to = free_path(draft.facts.firmware_folder,
                              kept_name(draft.record.name, draft.facts.now, role), draft.taken);
    draft.keeping.push_back({kept->file, to, role, draft.facts.online()});
    draft.plan.space += kept->size;
    return KeptState{to};
}

std::optional<PutBack> put_back(const std::optional<KeptState>& kept, const std::string& file,
                                const char* role, const Facts& facts) {
    if (!kept || file.empty()) return std::nullopt;
    if (!kept->file.empty() && !facts.taken.contains(kept->file))
        throw Error(ErrorCode::conflict,
                    fmt::format("the {} of the snapshot is missing: {}", kept_words(role), kept->file),
                    "put the file back; nothing was changed");
    return PutBack{kept->file, file, role};
}

} // namespace

void plan_keeping(CreateDraft& draft) {
    if (draft.options.no_metadata) return; // without a record nothing would ever find the copies
    draft.record.nvram = plan_one(draft, draft.facts.nvram, nvram);
    draft.record.tpm = plan_one(draft, draft.facts.tpm, tpm);
}

std::vector<std::string> read_in_stop(const CreateDraft& draft) {
    std::vector<std::string> files;
    for (const auto& one : draft.keeping)
        files.push_back(one.from);
    return files;
}

std::vector<PutBack> put_backs(const model::Snapshot& snapshot, const model::Domain& becomes,
                               const RevertOptions& options, const Facts& facts) {
    std::vector<PutBack> steps;
    auto variables = snapshot.nvram;
    const auto file = model::nvram_file(becomes, facts.firmware_folder);
    if (options.reset_nvram && !file.empty()) {
        // libvirt makes a new file, which QEMU overwrites with the flash that comes with the memory.
        if (model::is_online(snapshot.state))
            refuse(fmt::format(
                       "--reset-nvram: snapshot '{}' holds the guest's memory, and the NVRAM is a part of it",
                       snapshot.name),
                   "revert without it, or destroy the domain then and use start --reset-nvram");
        variables = KeptState{};
    }
    const auto state = model::has_tpm(becomes) ? model::tpm_file(facts.firmware_folder) : "";
    for (const auto& step :
         {put_back(variables, file, nvram, facts), put_back(snapshot.tpm, state, tpm, facts)})
        if (step) steps.push_back(*step);
    return steps;
}

std::vector<std::string> firmware_warnings(const model::Snapshot& snapshot, const Facts& facts) {
    std::vector<std::string> warnings;
    const auto warn = [&](const char* role) {
        warnings.push_back(fmt::format("snapshot '{}' does not hold the {}: it stays as it is now",
                                       snapshot.name, kept_words(role)));
    };
    if (facts.nvram && !snapshot.nvram) warn(nvram);
    if (facts.tpm && !snapshot.tpm) warn(tpm);
    return warnings;
}

} // namespace domsnap::plan
