// Watch: two looks at the folders, compared, and between them what each QEMU said.
#include "base/error.h"
#include "base/text.h"
#include "engine/guest.h"
#include "engine/qemu_events.h"
#include "os/file.h"
#include "os/file_watch.h"

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

/// A QEMU that ended without a word, and what no file tells, is seen at the next look at the latest.
constexpr std::chrono::seconds longest_wait{5};
/// After QEMU said that it ends, until it has.
constexpr std::chrono::milliseconds soon{100};

struct Seen {
    std::string name, uuid, definition; ///< definition: which file it is, not its text
    int64_t id = -1;
};

std::string identity_of(const std::string& path) {
    const auto info = os::file_info(path);
    return info ? fmt::format("{}:{}:{}", info->inode, info->modified, info->size) : "";
}

Seen look_at(const Folders& folders, const std::string& name) {
    const View view(folders, name);
    Seen seen{name, view.definition().uuid, identity_of(view.folder().path() + "/definition.xml"), -1};
    if (view.process() && os::exists(view.files().live()))
        seen.id = static_cast<int64_t>(text::to_u64(view.live().document.attribute("id")).value_or(0));
    return seen;
}

using World = std::map<std::string, Seen>; ///< by UUID

World look(const Folders& folders) {
    World world;
    for (const auto& name : store::domain_names(folders.state)) {
        try {
            auto seen = look_at(folders, name);
            world[seen.uuid] = seen;
        } catch (const Error&) {
            // Undefined while we looked, or not readable: who asks for it is told why.
        }
    }
    return world;
}

DomainEvent event_of(Kind kind, const Seen& seen, const std::string& detail = {}) {
    return {kind, seen.name, seen.uuid, seen.id, detail};
}

} // namespace

struct Watch::State {
    Folders folders;
    os::FileWatch files;
    World world;
    std::map<std::string, QemuEvents> said; ///< by UUID
    std::vector<DomainEvent> events;
    std::atomic<bool> interrupted = false;
    bool one_ends = false;

    void watch_folders() {
        files.add(folders.state + "/domains");
        files.add(folders.runtime);
        for (const auto& [uuid, seen] : world) {
            files.add(store::DomainFolder(folders.state, seen.name).path());
            files.add(runtime_files(folders, uuid).folder);
        }
    }

    QemuEvents& said_by(const std::string& uuid) {
        return said.try_emplace(uuid, runtime_files(folders, uuid).events()).first->second;
    }

    void tell(Kind kind, const Seen& seen, const std::string& detail = {}) {
        events.push_back(event_of(kind, seen, detail));
    }

    /// A plan ends a guest only for a snapshot's sake, and notes so a moment after the guest is gone.
    std::string reason_now(const Seen& seen) const {
        if (os::exists(store::DomainFolder(folders.state, seen.name).journal())) return "from snapshot";
        try {
            return Host(folders).info(seen.uuid).reason;
        } catch (const Error&) {
            return {};
        }
    }

    void tell_qemus_words(const Seen& seen) {
        for (const auto& event : said_by(seen.uuid).next()) {
            if (event.name == "STOP") tell(Kind::suspended, seen);
            if (event.name == "RESUME") tell(Kind::resumed, seen);
            if (event.name == "RESET") tell(Kind::rebooted, seen);
            if (event.name == "GUEST_PANICKED") tell(Kind::crashed, seen);
            if (event.name == "SHUTDOWN") {
                if (event.detail == "guest") tell(Kind::shutting_down, seen, "guest");
                one_ends = true;
            }
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
        if (now.id >= 0) {
            const auto reason = noted_reason(runtime_files(folders, now.uuid));
            tell(Kind::started, now, reason == "from snapshot" ? reason : "booted");
        }
    }

    void tell_gone(Seen before) {
        const bool was_active = before.id >= 0;
        before.id = -1;
        if (was_active) tell(Kind::stopped, before, "destroyed");
        tell(Kind::undefined, before);
        said.erase(before.uuid);
    }

    void look_again() {
        one_ends = false;
        World now = look(folders);
        for (const auto& [uuid, before] : world)
            if (!now.contains(uuid)) tell_gone(before);
        for (const auto& [uuid, seen] : now) {
            const auto before = world.find(uuid);
            if (before == world.end()) tell(Kind::defined, seen);
            compare(before == world.end() ? Seen{seen.name, uuid, seen.definition, -1} : before->second,
                    seen);
            tell_qemus_words(seen);
        }
        world = std::move(now);
        watch_folders();
    }
};

Watch::Watch(Folders folders) : state_(std::make_unique<State>()) {
    state_->folders = resolve_folders(std::move(folders));
    os::make_folders(state_->folders.state + "/domains");
    os::make_folders(state_->folders.runtime);
    state_->watch_folders();
    state_->world = look(state_->folders);
    state_->watch_folders();
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
        state_->files.wait(deadline.or_sooner(state_->one_ends ? soon : longest_wait));
    }
    return {};
}

void Watch::interrupt() {
    state_->interrupted = true;
    state_->files.interrupt();
}

bool Watch::interrupted() const { return state_->interrupted; }

} // namespace domsnap
