#include "engine/domain_changes.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/session.h"
#include "os/file.h"
#include "os/guard.h"

#include <algorithm>
#include <array>
#include <utility>

namespace domsnap::engine {

namespace {

/// What a domain's state is read from, of all that lies beside it: captures, journals and logs are written
/// to all the time.
bool tells_of_the_state(const std::string& name) {
    static constexpr std::array<std::string_view, 7> files{
        "definition.xml", "events.out", "live.xml", "pages.json", "qemu.pid", "qmp.sock", "reason"};
    return std::find(files.begin(), files.end(), name) != files.end();
}

std::string without_suffix(std::string name, std::string_view suffix) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    return name;
}

} // namespace

void DomainChanges::Changed::add(const Changed& more) {
    all = all || more.all;
    names = names || more.names;
    domains.insert(more.domains.begin(), more.domains.end());
}

DomainChanges::DomainChanges(Folders folders)
    : folders_(std::move(folders)), domains_folder_(folders_.state + "/domains") {
    for (const auto& folder : {domains_folder_, folders_.runtime})
        os::make_folders(folder); // so that they can be watched
}

void DomainChanges::note(const os::Changes::OfFile& file, Changed& changed) const {
    const bool is_top =
        file.folder == folders_.state || file.folder == domains_folder_ || file.folder == folders_.runtime;
    if (is_top && (file.name.empty() || file.folder == folders_.state)) {
        changed.all = changed.all || file.name.empty() || file.name == "domains";
        return;
    }
    const bool is_runtime =
        file.folder == folders_.runtime || file.folder.starts_with(folders_.runtime + "/");
    if (!is_top && !file.name.empty() && !tells_of_the_state(file.name)) return;
    const auto& folder = is_top ? file.name : text::base_name(file.folder);
    if (!is_runtime) {
        changed.names = true;
        if (const auto name = text::percent_decode(folder)) changed.domains.insert(*name);
    } else if (const auto known = by_uuid_.find(without_suffix(folder, machine::RuntimeFiles::next_suffix));
               known != by_uuid_.end()) {
        changed.domains.insert(known->second.begin(), known->second.end());
    }
}

DomainChanges::Changed DomainChanges::take_from_kernel() {
    Changed changed;
    const auto changes = changes_.take();
    changed.all = changes.lost;
    for (const auto& file : changes.files)
        note(file, changed);
    for (const auto& process : changes.ended)
        if (const auto known = by_pid_.find(process.pid); known != by_pid_.end()) {
            changed.domains.insert(known->second);
            by_pid_.erase(known);
        }
    return changed;
}

void DomainChanges::share_out(const Reader& taker) {
    const auto changed = take_from_kernel();
    if (changed.none()) return;
    for (auto* const reader : readers_) {
        reader->unread_.add(changed);
        if (reader != &taker) reader->wake_.set();
    }
}

bool DomainChanges::watch_all() {
    const std::lock_guard lock(mutex_);
    try {
        os::guard_folder(folders_.state); // another may have come in its place
        os::guard_folder(folders_.runtime);
        bool all = true;
        for (const auto& folder : {folders_.state, domains_folder_, folders_.runtime})
            all = changes_.add(folder) && all;
        const auto entries = os::list_folder(domains_folder_);
        for (const auto& entry : entries) // without a definition too: one that comes makes it a domain
            changes_.add(domains_folder_ + "/" + entry);
        const std::set<std::string> there(entries.begin(), entries.end());
        const auto is_gone = [&](const auto& name) { return !there.contains(text::percent_encode(name)); };
        for (auto& [uuid, names] : by_uuid_)
            std::erase_if(names, is_gone);
        std::erase_if(by_uuid_, [](const auto& one) { return one.second.empty(); });
        return all;
    } catch (const Error&) {
        return false;
    }
}

bool DomainChanges::watch(const std::string& domain, const std::string& uuid) {
    const std::lock_guard lock(mutex_);
    try {
        by_uuid_[uuid].insert(domain);
        changes_.add(runtime_files(folders_, uuid).folder);
        return true;
    } catch (const Error&) {
        return false;
    }
}

bool DomainChanges::watch(const std::string& domain, const os::ProcessId& process) {
    const std::lock_guard lock(mutex_);
    try {
        if (!changes_.add(process)) return false;
        by_pid_[process.pid] = domain;
        return true;
    } catch (const Error&) {
        return false;
    }
}

DomainChanges::Reader::Reader(DomainChanges& changes) : changes_(changes) {
    const std::lock_guard lock(changes_.mutex_);
    changes_.readers_.insert(this);
}

DomainChanges::Reader::~Reader() {
    const std::lock_guard lock(changes_.mutex_);
    changes_.readers_.erase(this);
}

DomainChanges::Changed DomainChanges::Reader::take() {
    const std::lock_guard lock(changes_.mutex_);
    changes_.share_out(*this);
    if (unread_.none()) return {};
    wake_.clear();
    return std::exchange(unread_, {});
}

void DomainChanges::Reader::wait(Deadline deadline) const {
    if (!interrupted_) changes_.changes_.wait(deadline, wake_);
}

void DomainChanges::Reader::interrupt() {
    interrupted_ = true; // before it is woken: take() may make it sleep again
    wake_.set();
}

} // namespace domsnap::engine
