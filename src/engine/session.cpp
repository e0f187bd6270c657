#include "engine/session.h"

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "engine/firmware.h"
#include "engine/in_place.h"
#include "engine/outlines.h"
#include "engine/pages.h"
#include "engine/runner.h"
#include "engine/saving.h"
#include "os/file.h"
#include "os/guard.h"
#include "store/records.h"
#include "xml/document.h"
#include "xml/snapshot.h"

#include <fmt/format.h>
#include <map>
#include <mutex>
#include <unistd.h>
#include <unordered_map>

namespace domsnap::engine {

namespace {

/// Documents that were parsed, by their whole text, so that it can never be another's: a server reads the
/// same ones again and again, once for each question about a domain.
class Parsed {
  public:
    std::optional<model::Domain> find(const std::string& text) const {
        const std::lock_guard lock(mutex_);
        const auto found = domains_.find(text);
        return found == domains_.end() ? std::nullopt : std::optional(found->second);
    }
    void keep(const std::string& text, const model::Domain& domain) {
        constexpr size_t largest = 64 << 10, enough = 512;
        if (text.size() > largest) return;
        const std::lock_guard lock(mutex_);
        if (domains_.size() >= enough) domains_.clear();
        domains_.emplace(text, domain);
    }

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, model::Domain> domains_;
};

Parsed parsed;

} // namespace

model::Domain parse_domain(const std::string& text, const std::string& source) {
    if (auto known = parsed.find(text)) return *std::move(known);
    auto domain = model::domain_from(xml::parse_root(text, "domain", source));
    parsed.keep(text, domain);
    return domain;
}

machine::RuntimeFiles runtime_files(const Folders& folders, const std::string& uuid) {
    return machine::RuntimeFiles{folders.runtime + "/" + uuid};
}

static store::DomainFolder private_folder(const Folders& folders, const std::string& name) {
    store::DomainFolder folder(folders.state, name);
    folder.require_private();
    return folder;
}

View::View(const Folders& folders, const std::string& name)
    : folders_(folders), folder_(private_folder(folders, name)),
      definition_(parse_domain(folder_.definition(), name)),
      files_(runtime_files(folders, definition_.uuid)) {
    os::guard_folder(folders.runtime);
    os::require_private_folder(files_.folder);
    model::set_name(definition_, name); // a rename that was cut short moved the folder, and not yet the text
}

View::View(const Folders& folders, model::Domain domain)
    : folders_(folders), folder_(private_folder(folders, domain.name)), definition_(std::move(domain)),
      files_(runtime_files(folders, definition_.uuid)) {
    os::guard_folder(folders.runtime);
}

model::Domain View::live() const {
    if (!process() || !os::exists(files_.live())) return definition_;
    return parse_domain(os::read_file(files_.live(), store::max_document), name());
}

static constexpr xml::SnapshotParseOptions as_record{.redefine = true, .disk_only = false, .record = true};

static model::Snapshot parse_record(const std::string& text, const std::string& source) {
    return xml::parse_snapshot(text, as_record, source);
}

model::Snapshot parse_record_head(const std::string& text, const std::string& source) {
    auto snapshot = xml::snapshot_from(xml::parse_head(text, "domain", source), as_record);
    snapshot.head_only = true;
    return snapshot;
}

model::SnapshotTree View::read_snapshots(ParseRecord* parse) const {
    const store::Records records(folder_);
    const auto names = records.names();
    std::vector<std::optional<model::Snapshot>> read(names.size());
    side_by_side(names.size(), [&](size_t from, size_t to) {
        for (size_t i = from; i < to; ++i)
            if (const auto record = records.read(names[i]))
                read[i] = parse(record->document, records.path_of(names[i]));
    });
    std::vector<model::Snapshot> snapshots;
    snapshots.reserve(read.size());
    for (auto& one : read)
        if (one) snapshots.push_back(*std::move(one)); // else it went while we read
    return model::SnapshotTree(std::move(snapshots), folder_.current());
}

model::SnapshotTree View::readable_snapshots(std::vector<std::string>& unreadable) const {
    std::vector<model::Snapshot> snapshots;
    const store::Records records(folder_);
    for (const auto& name : records.names()) {
        try {
            if (const auto record = records.read(name))
                snapshots.push_back(parse_record(record->document, records.path_of(name)));
        } catch (const Error& error) {
            unreadable.push_back(error.what());
        }
    }
    return model::SnapshotTree(std::move(snapshots), folder_.current());
}

model::SnapshotTree View::snapshots() const { return read_snapshots(parse_record); }
model::SnapshotTree View::snapshot_heads() const { return read_snapshots(parse_record_head); }

model::Snapshot View::snapshot(const std::string& name) const {
    const auto text = folder_.record(name);
    if (!text)
        throw Error(ErrorCode::not_found,
                    fmt::format("Domain snapshot not found: no domain snapshot with matching name '{}'",
                                text::printable(name)),
                    fmt::format("domsnap snapshot-list {} shows them", this->name()));
    return parse_record(*text, name);
}

namespace {

/// Which domain had a UUID when it was last asked for: where a server looks first, which is asked by UUID a
/// thousand times a second. Never believed: the domain's definition says whether it still is so.
class LastNames {
  public:
    std::string of(const std::string& state, const std::string& uuid) const {
        const std::lock_guard lock(mutex_);
        const auto found = names_.find(state + '\n' + uuid);
        return found == names_.end() ? "" : found->second;
    }
    void note(const std::string& state, const std::string& uuid, const std::string& name) {
        constexpr size_t enough = 16384;
        const std::lock_guard lock(mutex_);
        if (names_.size() >= enough) names_.clear();
        names_[state + '\n' + uuid] = name;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> names_;
};

LastNames last_names;

} // namespace

View view_of(const Folders& folders, const std::string& given) {
    if (const auto uuid = canonical_uuid(given))
        if (const auto name = last_names.of(folders.state, *uuid);
            !name.empty() && !store::DomainFolder(folders.state, given).defined()) {
            try {
                View view(folders, name);
                if (view.definition().uuid == *uuid) return view;
            } catch (const Error& error) {
                if (error.code() != ErrorCode::not_found) throw; // it has another name now, or is gone
            }
        }
    return View(folders, resolve_name(folders, given));
}

std::string resolve_name(const Folders& folders, const std::string& given) {
    if (store::DomainFolder(folders.state, given).defined()) return given;
    const auto uuid = canonical_uuid(given);
    const auto id = text::to_u64(given);
    if (uuid || id)
        for (const auto& name : store::domain_names(folders.state)) {
            const View view(folders, name);
            if (uuid) last_names.note(folders.state, view.definition().uuid, name);
            if (uuid && view.definition().uuid == *uuid) return name;
            if (id && view.process() && view.live().document.attribute("id") == given) return name;
        }
    throw Error(ErrorCode::not_found, fmt::format("failed to get domain '{}'", text::printable(given)),
                "domsnap list --all shows the domains");
}

static os::FileLock take_lock(const View& view, const std::string& verb, const Control& control) {
    const auto who = fmt::format("{} {} (pid {})", verb, text::printable(view.name()), getpid());
    const auto say = [&](const std::string& holder) {
        const auto capture = words_of_saving(view);
        control.warn(capture.empty() ? fmt::format("waiting for {}", holder)
                                     : fmt::format("{} waits for {}", verb, capture));
    };
    return os::FileLock::take(view.folder().lock_path(), os::LockMode::exclusive, who,
                              Deadline::after(std::chrono::hours(1)), say);
}

Session::Session(const Folders& folders, const std::string& name, const std::string& verb,
                 const Control& control)
    : View(folders, name), control_(control), lock_(take_lock(*this, verb, control)) {
    // Somebody may have changed or removed it while we waited.
    reload();
    folder().remove_unfinished();
    remove_unfinished_firmware(*this);
    for (const auto& line : recover(*this))
        control_.warn(line);
    tidy_warm(*this);
    tend_pages(*this);
    tell_failed_capture(*this);
    reload();
}

Session::Session(const Folders& folders, model::Domain new_domain, const std::string& verb,
                 const Control& control)
    : View(folders, std::move(new_domain)), control_(control), lock_(take_lock(*this, verb, control)) {
    if (folder().defined())
        throw Error(ErrorCode::conflict,
                    fmt::format("operation failed: domain '{}' already exists", text::printable(name())));
    store::finish_removals(folders.state); // lest they take what becomes the new one's
    folder().make_anew();
}

Session::Session(const Folders& folders, const std::string& name, os::FileLock lock, const Control& control)
    : View(folders, name), control_(control), lock_(std::move(lock)) {}

void Session::reload() { set_definition(parse_domain(folder().definition(), name())); }

os::ProcessId Session::running_process() const {
    if (const auto running = process()) return *running;
    throw Error(ErrorCode::conflict,
                fmt::format("Requested operation is not valid: domain '{}' is not running", name()),
                fmt::format("domsnap start {}", name()));
}

qmp::Client& Session::monitor() {
    if (!monitor_) monitor_ = machine::connect(files(), running_process(), definition().uuid, quick());
    return *monitor_;
}

} // namespace domsnap::engine
