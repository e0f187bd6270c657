// Host: domains taken over from libvirt. The records, what the ledger knows and the current snapshot are
// written first and the definition last: until it is there the domain is not (docs/formats/store.md, "Order
// of writing").
#include "base/error.h"
#include "base/text.h"
#include "engine/adoption.h"
#include "engine/adoption_snapshots.h"
#include "engine/session.h"
#include "os/file.h"
#include "plan/document.h"
#include "store/new_domain.h"

#include <algorithm>
#include <cstdlib>
#include <domsnap/adopt.h>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

namespace domsnap {

using namespace engine;

bool AdoptResult::good() const {
    return problems.empty() && std::all_of(snapshots.begin(), snapshots.end(),
                                           [](const auto& snapshot) { return snapshot.problem.empty(); });
}

namespace {

/// The same domain, with at least the snapshots that libvirt has: it was adopted before, and has lived on.
bool is_known(const Folders& folders, const LibvirtFiles& libvirt, const std::string& name) {
    if (!store::DomainFolder(folders.state, name).defined()) return false;
    const View ours(folders, name);
    if (parse_domain(libvirt.definition(name), name).uuid != ours.definition().uuid) return false;
    const auto tree = ours.snapshot_heads();
    const auto paths = libvirt.snapshot_paths(name);
    return std::all_of(paths.begin(), paths.end(), [&](const auto& path) {
        const auto theirs = read_libvirt_snapshot(path).snapshot;
        const auto* record = tree.find(theirs.name);
        return record && record->creation_time == theirs.creation_time;
    });
}

Adoption look_at_known(const Folders& folders, const LibvirtFiles& libvirt, const std::string& name,
                       bool take) {
    Adoption adoption;
    auto& result = adoption.result;
    result.domain = name;
    result.uuid = View(folders, name).definition().uuid;
    result.known = true;
    result.managed_save = !libvirt.managed_save(name).empty();
    for (const auto& path : libvirt.snapshot_paths(name))
        result.snapshots.push_back(
            {.name = read_libvirt_snapshot(path).snapshot.name, .what = "known", .problem = {}});
    if (!take)
        result.problems.push_back(
            "domsnap has it already, with its snapshots; --take lets libvirt forget it");
    if (const auto pid = libvirt.running(name, result.uuid))
        result.problems.push_back(fmt::format("libvirt runs it (QEMU is process {})", *pid));
    return adoption;
}

void check_identity(const Folders& folders, AdoptResult& result) {
    for (const auto& name : store::domain_names(folders.state)) {
        const auto uuid = View(folders, name).definition().uuid;
        if (name == result.domain)
            result.problems.push_back(fmt::format("domsnap has another domain of that name (uuid {})", uuid));
        else if (uuid == result.uuid)
            result.problems.push_back(fmt::format("domsnap's domain '{}' has its uuid {}", name, uuid));
    }
}

std::string free_name(const std::string& path) {
    const auto name = path + ".adopted-by-domsnap";
    auto free = name;
    for (unsigned i = 1; os::file_info(free, false); ++i)
        free = fmt::format("{}-{}", name, i);
    return free;
}

std::string forget_command(const AdoptResult& result) {
    return fmt::format("virsh undefine {} --snapshots-metadata --keep-nvram{}",
                       text::printable(result.domain), result.managed_save ? " --managed-save" : "");
}

void look_at_taking(const LibvirtFiles& libvirt, AdoptResult& result) {
    if (const auto daemon = libvirt.daemon())
        result.problems.push_back(fmt::format("--take: {} (process {}) has it in its memory and would not "
                                              "notice. Stop {}, or adopt without --take, and "
                                              "then: {}",
                                              daemon->second, daemon->first, daemon->second,
                                              forget_command(result)));
    for (const auto& path : libvirt.traces(result.domain))
        result.renamed.emplace_back(path, free_name(path));
}

[[noreturn]] void refuse(const AdoptResult& result) {
    const auto hint =
        fmt::format("domsnap adopt {} --dry-run says all that is in the way; nothing was changed",
                    text::printable(result.domain));
    for (const auto& words : result.problems)
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' cannot be adopted: {}", text::printable(result.domain), words),
                    hint);
    for (const auto& snapshot : result.snapshots)
        if (!snapshot.problem.empty())
            throw Error(ErrorCode::conflict,
                        fmt::format("snapshot '{}' of domain '{}' cannot be adopted: {}",
                                    text::printable(snapshot.name), text::printable(result.domain),
                                    snapshot.problem),
                        fmt::format("{}. virsh snapshot-delete {} {} --metadata lets libvirt forget it, and "
                                    "leaves its files",
                                    hint, text::printable(result.domain), text::printable(snapshot.name)));
    std::abort(); // only for a result that is not good
}

void take_over(const Folders& folders, const Adoption& adoption) {
    const auto& name = adoption.result.domain;
    store::DomainFolder folder(folders.state, name);
    folder.require_private();
    const auto lock = os::FileLock::take(folder.lock_path(), os::LockMode::exclusive,
                                         fmt::format("adopt {} (pid {})", text::printable(name), getpid()),
                                         Deadline::after(std::chrono::hours(1)));
    std::vector<std::string> made;
    for (const auto& [from, to] : adoption.copies)
        if (!to.starts_with(folder.path() + "/")) made.push_back(to);
    store::begin_domain(folder, made);
    for (auto snapshot : adoption.snapshots)
        folder.put_record(snapshot.name, plan::record_text(snapshot));
    Ledger ledger(folder);
    for (const auto& file : adoption.frozen)
        ledger.frozen(file.path, file.format, file.anew);
    if (!adoption.current.empty()) folder.set_current(adoption.current);
    for (const auto& [from, to] : adoption.copies) {
        os::make_folders(text::folder_of(to));
        os::remove_file_durably(to); // of an adoption that was cut short
        os::copy_file_sparsely(from, to);
    }
    if (adoption.saved) folder.put_fork(model::to_text(model::to_element(*adoption.saved)) + "\n");
    store::finish_domain(folder, plan::document_text(adoption.definition));
}

/// The definition last: as long as it is there, another --take finds the domain, and renames what a crash
/// left.
void let_libvirt_forget(const AdoptResult& result) {
    for (auto file = result.renamed.rbegin(); file != result.renamed.rend(); ++file)
        os::rename_durably(file->first, file->second);
}

void warn_of_libvirt(const AdoptResult& result, const Control& control) {
    const auto name = text::printable(result.domain);
    control.warn(fmt::format(
        "libvirt still knows '{}' and could start it on files that are domsnap's now: {}, or, with libvirt "
        "stopped, domsnap adopt {} --take",
        name, forget_command(result), name));
}

} // namespace

std::vector<AdoptResult> adopt(const Folders& given, const std::vector<std::string>& names_given,
                               const AdoptOptions& options, const Control& control) {
    if (options.dry_run && options.take)
        throw Error(ErrorCode::invalid_request, "--dry-run and --take are mutually exclusive");
    const auto folders = resolve_folders(given);
    const LibvirtFiles libvirt(options.from);
    std::set<std::string> names;
    for (const auto& one : names_given)
        names.insert(libvirt.resolve(one));
    std::vector<Adoption> adoptions;
    std::vector<AdoptResult> results;
    for (const auto& name : names) {
        auto adoption = is_known(folders, libvirt, name)
                            ? look_at_known(folders, libvirt, name, options.take)
                            : look_at_libvirt(folders, libvirt, name, names, control);
        if (!adoption.result.known) check_identity(folders, adoption.result);
        if (options.take) look_at_taking(libvirt, adoption.result);
        results.push_back(adoption.result);
        adoptions.push_back(std::move(adoption));
    }
    if (options.dry_run) return results;
    for (const auto& result : results)
        if (!result.good()) refuse(result);
    for (const auto& adoption : adoptions) {
        if (!adoption.result.known) take_over(folders, adoption);
        if (options.take)
            let_libvirt_forget(adoption.result);
        else
            warn_of_libvirt(adoption.result, control);
    }
    return results;
}

} // namespace domsnap
