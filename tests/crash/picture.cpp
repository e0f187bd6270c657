#include "picture.h"

#include "disk_content.h"
#include "engine/firmware.h"
#include "engine/in_place.h"
#include "engine/session.h"
#include "machine/devices.h"
#include "memory/image.h"
#include "model/firmware.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <thread>

namespace crash {

namespace fs = std::filesystem;
using namespace domsnap;

namespace {

/// Looks at one domain after the other, and gathers which files they need.
class Look {
  public:
    explicit Look(const World& world) : world_(world) {}

    Picture take() {
        const auto folders = world_.folders();
        for (const auto& name : store::domain_names(folders.state))
            attempt("domain " + name, [&] { domain(engine::View(folders, name)); });
        find_strays();
        std::sort(picture_.libvirts.begin(), picture_.libvirts.end());
        return std::move(picture_);
    }

  private:
    template <class Body>
    void attempt(const std::string& what, const Body& body) {
        try {
            body();
        } catch (const std::exception& error) {
            picture_.problems.push_back(what + ": " + error.what());
        }
    }

    void need_chain(std::string path, std::string format) {
        while (!path.empty() && needed_.insert(path).second) {
            path = backing_of(path, format);
            format = path.ends_with(".raw") ? "raw" : "qcow2";
        }
    }

    std::string disk(const std::string& path, const std::string& format, const std::string& tag = {}) {
        need_chain(path, format);
        return content_of(path, format, tag);
    }

    void domain(const engine::View& view) {
        auto& here = picture_.domains[view.name()];
        here.current = view.folder().current();
        const auto live = view.live();
        for (const auto& one : live.disks)
            attempt("disk " + one.target, [&] { here.disks[one.target] = disk(one.source, one.format); });
        attempt("the firmware", [&] { here.firmware = firmware(view); });
        for (const auto& one : view.definition().disks)
            if (const auto* same = live.find_disk(one.target); !same || same->source != one.source)
                picture_.problems.push_back(fmt::format("the definition has {} on {}, what runs on {}",
                                                        one.target, one.source,
                                                        same ? same->source : "nothing"));
        const auto tree = view.snapshots();
        for (const auto& one : tree.all())
            attempt("snapshot " + one.name, [&] { here.snapshots[one.name] = snapshot(one); });
        for (const auto& path : engine::ready_files(view))
            needed_.insert(path);
        if (view.process()) attempt("the guest", [&] { guest(view, live); });
        if (os::exists(view.folder().journal())) picture_.problems.push_back("the journal is left");
    }

    std::string kept(const std::string& file) {
        needed_.insert(file);
        return os::read_file(file, model::max_flash).substr(0, 4);
    }

    std::map<std::string, std::string> firmware(const engine::View& view) {
        std::map<std::string, std::string> found;
        const auto folder = engine::firmware_folder(view);
        if (const auto nvram = model::nvram_of(view.definition())) {
            const auto file = model::nvram_file(view.definition(), folder);
            // One that is not there yet is made from its template, sooner or later.
            found["nvram"] = kept(os::exists(file) ? file : nvram->template_file);
        }
        if (model::has_tpm(view.definition())) found["tpm"] = kept(model::tpm_file(folder));
        return found;
    }

    SnapshotPicture snapshot(const model::Snapshot& one) {
        SnapshotPicture picture{
            one.parent, model::to_string(one.state), model::to_string(one.memory.location), {}, {}};
        if (one.nvram) picture.firmware["nvram"] = kept(one.nvram->file);
        if (one.tpm) picture.firmware["tpm"] = kept(one.tpm->file);
        for (const auto& place : one.disks)
            if (place.point)
                picture.disks[place.name] = disk(place.point->file, place.point->format, place.point->tag);
        if (one.memory_point) disk(one.memory_point->file, one.memory_point->format, one.memory_point->tag);
        if (one.memory.location == model::Location::external) {
            needed_.insert(one.memory.file);
            const auto image = memory::ImageReader::open(one.memory.file);
            memory::verify_pages(image, nullptr);
            for (const auto& layer : image.layers())
                needed_.insert(layer.path);
            picture.memory += ": " + first_bytes(image);
        }
        return picture;
    }

    /// Of RAM, wherever in the chain they lie.
    static std::string first_bytes(const memory::ImageReader& image) {
        std::string page(memory::page_size, '\0');
        for (size_t block = 0; block < image.blocks().size(); ++block)
            if (image.blocks()[block].offset == 0 && image.state(block, 0) == memory::PageState::data)
                image.read_pages(block, 0, 1, page.data());
        return page.substr(0, 8);
    }

    void guest(const engine::View& view, const model::Domain& live) {
        const auto soon = [] { return Deadline::after(std::chrono::seconds(20)); };
        auto monitor = qmp::Client::connect(view.files().watch(), soon());
        auto state = qmp::query_status(monitor, soon()).status;
        if (state == "postmigrate")
            state = "paused"; // after its memory was saved: to the user it is the same
        const auto warm = engine::warm_snapshot(view);
        picture_.guests[view.name()] = fmt::format(
            "{}, {}: {} {}{}", state, agent(monitor), qmp::human_command(monitor, "fake-read 0 8", soon()),
            qmp::human_command(monitor, "fake-sum", soon()), warm.empty() ? "" : ", warm for " + warm);
        const auto devices = qmp::query_device_nodes(monitor, soon());
        for (const auto& node : qmp::query_named_block_nodes(monitor, soon()))
            for (const auto& one : live.disks) {
                const auto at = devices.find(machine::disk_device_id(live, one.target));
                if (at != devices.end() && at->second == node.node_name && node.file != one.source)
                    picture_.problems.push_back(fmt::format("the guest writes {} to {}, live.xml says {}",
                                                            one.target, node.file, one.source));
            }
        find_idle_nodes(view, devices, qmp::query_named_block_nodes(monitor, soon()));
    }

    /// What is open below no disk, and does not lie ready either.
    void find_idle_nodes(const engine::View& view, const std::map<std::string, std::string>& devices,
                         const std::vector<qmp::BlockNode>& nodes) {
        std::map<std::string, const qmp::BlockNode*> by_name;
        for (const auto& node : nodes)
            by_name[node.node_name] = &node;
        std::set<std::string> used;
        const auto use = [&](const std::string& top) {
            for (auto at = by_name.find(top); at != by_name.end();
                 at = by_name.find(at->second->backing_node))
                used.insert(at->first);
        };
        for (const auto& [device, node] : devices)
            use(node);
        const auto ready = engine::ready_files(view);
        for (const auto& node : nodes)
            if (std::find(ready.begin(), ready.end(), node.file) != ready.end()) use(node.node_name);
        for (const auto& node : nodes)
            if (node.driver == "qcow2" && !used.contains(node.node_name))
                picture_.strays.push_back(fs::path(node.file).lexically_relative(world_.path()));
    }

    /// What was frozen is thawed by a process of its own, in its own time.
    static std::string agent(qmp::Client& monitor) {
        const auto soon = Deadline::after(std::chrono::seconds(20));
        for (;;) {
            const auto state = qmp::human_command(monitor, "fake-agent", soon);
            if (state != "frozen" || !qmp::query_status(monitor, soon).running) return "agent " + state;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    /// Files below the state folder that the store's format names.
    static bool is_the_stores(const std::string& name) {
        const auto parts = fs::path(name);
        const auto file = parts.filename().string();
        if (name.find("/.gone-") != std::string::npos) return false;
        if (name.starts_with("locks") || name.starts_with("cache")) return !file.starts_with(".");
        const auto folder = parts.parent_path().filename();
        if (folder == "snapshots" || folder == "files") return file.size() == 36 && file.ends_with(".xml");
        return file == "definition.xml" || file == "current" || file == "outlines" || file == "fork.xml";
    }

    /// What a revert in place needs. The rest down there is of the run, and goes with it.
    static bool is_of_the_run(const std::string& file) { return !file.starts_with("state-"); }

    void find_strays() {
        const auto state = world_.folders().state, libvirt = world_.path() + "/libvirt/";
        for (const auto& entry : fs::recursive_directory_iterator(world_.path())) {
            const auto path = entry.path().string();
            if (entry.is_directory() || path == world_.faults() || needed_.contains(path)) continue;
            if (path.starts_with(world_.folders().runtime) && is_of_the_run(entry.path().filename()))
                continue;
            if (path.starts_with(libvirt)) {
                picture_.libvirts.push_back(path.substr(libvirt.size()));
                continue;
            }
            if (path.starts_with(state) && is_the_stores(entry.path().lexically_relative(state))) continue;
            if (originals.contains(entry.path().filename().string())) continue;
            picture_.strays.push_back(entry.path().lexically_relative(world_.path()));
        }
    }

    /// Images that the user made: never domsnap's to remove.
    const std::set<std::string> originals{"vda.qcow2", "vdb.qcow2",     "vdb.raw",
                                          "code.fd",   "vars.template", "s2.xml"};

    const World& world_;
    Picture picture_;
    std::set<std::string> needed_;
};

} // namespace

Picture look_at(const World& world) { return Look(world).take(); }

std::string to_text(const Picture& picture) {
    std::string text;
    for (const auto& [name, domain] : picture.domains) {
        text += fmt::format("domain {} current '{}'\n", name, domain.current);
        for (const auto& [target, content] : domain.disks)
            text += fmt::format("  {} {}\n", target, content);
        for (const auto& [what, content] : domain.firmware)
            text += fmt::format("  {} {}\n", what, content);
        for (const auto& [snapshot, one] : domain.snapshots) {
            text += fmt::format("  snapshot {} of '{}', {}, memory {}\n", snapshot, one.parent, one.state,
                                one.memory);
            for (const auto& [target, content] : one.disks)
                text += fmt::format("    {} {}\n", target, content);
            for (const auto& [what, content] : one.firmware)
                text += fmt::format("    {} {}\n", what, content);
        }
    }
    for (const auto& [name, state] : picture.guests)
        text += fmt::format("guest {} {}\n", name, state);
    for (const auto& file : picture.libvirts)
        text += "libvirt has " + file + "\n";
    for (const auto& stray : picture.strays)
        text += "stray " + stray + "\n";
    for (const auto& problem : picture.problems)
        text += "problem " + problem + "\n";
    return text;
}

} // namespace crash
