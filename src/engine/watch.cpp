// Watch: two looks at what changed, compared, and between them what each QEMU said.
#include "base/error.h"
#include "base/text.h"
#include "engine/domain_changes.h"
#include "engine/guest.h"
#include "engine/kept_states.h"
#include "engine/qemu_events.h"
#include "os/file.h"

#include <atomic>
#include <domsnap/watch.h>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <tuple>

namespace domsnap {

using namespace engine;
using Kind = DomainEvent::Kind;

namespace {

/// What no file tells, and what could not be watched, is seen then at the latest.
constexpr std::chrono::seconds longest_wait{5};

struct Seen {
    std::string name, uuid, definition; ///< definition: which file it is, not its text
    int64_t id = -1;
    std::optional<os::ProcessId> process;
};

std::string identity_of(const std::string& path) {
    const auto info = os::file_info(path);
    return info ? fmt::format("{}:{}:{}", info->inode, info->modified, info->size) : "";
}

Seen seen_of(const View& view) {
    Seen seen{view.name(), view.definition().uuid, identity_of(view.folder().path() + "/definition.xml"), -1,
              view.process()};
    if (seen.process && os::exists(view.files().live()))
        seen.id = static_cast<int64_t>(text::to_u64(view.live().document.attribute("id")).value_or(0));
    return seen;
}

using World = std::map<std::string, Seen>; ///< by UUID

DomainEvent event_of(Kind kind, const Seen& seen, const std::string& detail = {}) {
    return {kind, seen.name, seen.uuid, seen.id, detail};
}

} // namespace

struct Watch::State {
    State(const Host& given, KeptStates* kept)
        : host(given), own_changes(kept ? nullptr : std::make_unique<DomainChanges>(given.folders())),
          changes(kept ? kept->changes() : *own_changes) {}

    Host host; ///< keeps alive what it shares
    const Folders& folders = host.folders();
    std::unique_ptr<DomainChanges> own_changes;
    DomainChanges& changes;
    DomainChanges::Reader unread{changes};
    World world;
    std::vector<std::string> names;
    std::map<std::string, QemuEvents> said; ///< by UUID
    std::vector<DomainEvent> events;
    std::atomic<bool> interrupted = false;
    DomainChanges::Changed unseen{.all = true, .names = true, .domains = {}}; ///< since the last look
    Deadline all_again = Deadline::after(longest_wait);

    void take_changes() {
        unseen.add(unread.take());
        unseen.all = unseen.all || all_again.passed();
        unseen.names = unseen.names || unseen.all;
    }

    bool is_unseen(const std::string& name) const { return unseen.all || unseen.domains.contains(name); }

    Seen look_closely(const std::string& name) {
        const View view(folders, name);
        changes.watch(name, view.definition().uuid); // from before we look
        auto seen = seen_of(view);
        if (seen.process && !changes.watch(name, *seen.process)) seen = seen_of(view);
        return seen;
    }

    void look_at_one(const std::string& name, World& now) {
        try {
            const auto seen = look_closely(name);
            now[seen.uuid] = seen;
        } catch (const Error& error) {
            // Undefined while we looked; or not readable, and then it is as it was: who asks is told why.
            if (error.code() == ErrorCode::not_found) return;
            for (const auto& [uuid, seen] : world)
                if (seen.name == name) now[uuid] = seen;
        }
    }

    World look() {
        if (unseen.names) {
            changes.watch_all();
            names = store::domain_names(folders.state);
        }
        std::map<std::string, const Seen*> before;
        for (const auto& [uuid, seen] : world)
            before[seen.name] = &seen;
        World now;
        for (const auto& name : names)
            if (const auto found = before.find(name); found != before.end() && !is_unseen(name))
                now[found->second->uuid] = *found->second;
            else
                look_at_one(name, now);
        return now;
    }

    QemuEvents& said_by(const std::string& uuid) {
        return said.try_emplace(uuid, runtime_files(folders, uuid).events()).first->second;
    }

    void tell(Kind kind, const Seen& seen, const std::string& detail = {}) {
        events.push_back(event_of(kind, seen, detail));
    }

    /// A plan ends a guest only for a snapshot's sake, and notes so a moment after the guest is gone.
    std::string reason_now(const Seen& seen) const {
        try {
            if (os::exists(store::DomainFolder(folders.state, seen.name).journal())) return "from snapshot";
            return host.info(seen.uuid).reason;
        } catch (const Error&) {
            return {};
        }
    }

    bool is_from_snapshot(const Seen& seen) const {
        try {
            return noted_reason(runtime_files(folders, seen.uuid)) == "from snapshot";
        } catch (const Error&) {
            return false;
        }
    }

    void tell_qemus_words(const Seen& seen) {
        // Its stop is part of its end then, which is told.
        const bool is_killed = os::exists(runtime_files(folders, seen.uuid).killed());
        for (const auto& event : said_by(seen.uuid).next()) {
            if (event.name == "STOP" && !is_killed) tell(Kind::suspended, seen);
            if (event.name == "RESUME") tell(Kind::resumed, seen);
            if (event.name == "RESET") tell(Kind::rebooted, seen);
            if (event.name == "GUEST_PANICKED") tell(Kind::crashed, seen);
            if (event.name == "SHUTDOWN" && event.detail == "guest") tell(Kind::shutting_down, seen, "guest");
        }
    }

    void compare(const Seen& before, const Seen& now) {
        if (before.name != now.name) tell(Kind::renamed, now, before.name);
        if (before.name == now.name && before.definition != now.definition) tell(Kind::redefined, now);
        if (before.id == now.id) return;
        if (before.id >= 0) {
            Seen off = now;
            off.id = -1;
            // Of a revert both halves are told: the old guest is gone for the new one's sake.
            tell(Kind::stopped, off, now.id >= 0 ? "from snapshot" : reason_now(now));
        }
        if (now.id >= 0) tell(Kind::started, now, is_from_snapshot(now) ? "from snapshot" : "booted");
    }

    void tell_gone(Seen before) {
        const bool was_active = before.id >= 0;
        before.id = -1;
        if (was_active) tell(Kind::stopped, before, "destroyed");
        tell(Kind::undefined, before);
        said.erase(before.uuid);
    }

    void look_again() {
        take_changes();
        World now = look();
        for (const auto& [uuid, before] : world)
            if (!now.contains(uuid)) tell_gone(before);
        for (const auto& [uuid, seen] : now) {
            const auto before = world.find(uuid);
            if (before == world.end()) tell(Kind::defined, seen);
            if (before != world.end() && !is_unseen(seen.name)) continue;
            compare(before == world.end() ? Seen{seen.name, uuid, seen.definition, -1, {}} : before->second,
                    seen);
            tell_qemus_words(seen);
        }
        world = std::move(now);
        if (unseen.all) all_again = Deadline::after(longest_wait);
        unseen = {};
    }
};

Watch::Watch(const Host& host) : state_(std::make_unique<State>(host, host.kept_.get())) {
    state_->world = state_->look();
    state_->unseen = {};
    for (const auto& [uuid, seen] : state_->world)
        state_->said_by(uuid).skip();
}

Watch::~Watch() = default;

std::vector<DomainEvent> Watch::next(std::chrono::milliseconds patience) {
    const auto deadline = Deadline::after(patience);
    while (!state_->interrupted) {
        state_->look_again();
        if (!state_->events.empty()) return std::exchange(state_->events, {});
        if (deadline.passed()) break;
        state_->unread.wait(deadline.or_sooner(longest_wait));
    }
    return {};
}

void Watch::interrupt() {
    state_->interrupted = true;
    state_->unread.interrupt();
}

bool Watch::interrupted() const { return state_->interrupted; }

} // namespace domsnap
