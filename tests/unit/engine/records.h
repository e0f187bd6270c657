// Domains with many records and no files, for the tests of this room.
#pragma once

#include "../os/scratch.h"
#include "os/effect.h"
#include "store/store.h"

#include <domsnap/host.h>
#include <fmt/format.h>
#include <set>
#include <string>
#include <sys/inotify.h>
#include <unistd.h>

namespace domsnap {

inline constexpr const char* domain_without_disks =
    "<domain type='qemu'><name>g</name><uuid>29b925ff-4c44-44d7-b2ee-7a6023fa3fbb</uuid>"
    "<memory unit='MiB'>64</memory><os><type arch='x86_64' machine='pc'>hvm</type></os></domain>";

inline std::string record_of(const std::string& name, const std::string& parent,
                             const std::string& domain = domain_without_disks) {
    return fmt::format("<domainsnapshot><name>{}</name><state>shutoff</state>{}<creationTime>1</creationTime>"
                       "<memory snapshot='no'/>{}</domainsnapshot>",
                       name, parent.empty() ? "" : fmt::format("<parent><name>{}</name></parent>", parent),
                       domain);
}

/// Nobody loses power while it lives: syncs are left out.
class Hasty : public os::EffectWatcher {
  public:
    Hasty() { os::effect_watcher = this; }
    ~Hasty() override { os::effect_watcher = nullptr; }
    int before(const os::Effect&) override { return 0; }
    void after(const os::Effect&) override {}
    bool is_left_out(const os::Effect& effect) const override {
        return effect.kind == os::Effect::Kind::sync || effect.kind == os::Effect::Kind::sync_folder;
    }
};

/// Which files in a folder are opened, by anybody. With their closing, because the kernel makes one note of
/// two that are alike and follow each other.
class Opens {
  public:
    explicit Opens(const std::string& folder) : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        ::inotify_add_watch(inotify_.get(), folder.c_str(), IN_OPEN | IN_CLOSE);
    }
    /// How often, since it was asked last.
    unsigned all() { return static_cast<unsigned>(names().size()); }
    /// How many different ones.
    unsigned files() {
        const auto opened = names();
        return static_cast<unsigned>(std::set(opened.begin(), opened.end()).size());
    }

  private:
    std::vector<std::string> names() {
        std::vector<std::string> names;
        alignas(inotify_event) char notes[65536];
        for (ssize_t got; (got = ::read(inotify_.get(), notes, sizeof notes)) > 0;)
            for (const char* at = notes; at < notes + got;) {
                const auto* note = reinterpret_cast<const inotify_event*>(at);
                if ((note->mask & IN_OPEN) && !(note->mask & IN_ISDIR)) names.emplace_back(note->name);
                at += sizeof *note + note->len;
            }
        return names;
    }
    os::Fd inotify_;
};

} // namespace domsnap
