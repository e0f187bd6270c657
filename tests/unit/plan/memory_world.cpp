#include "memory_world.h"

#include "model/domain.h"
#include "xml/document.h"

#include <stdexcept>
#include <type_traits>

namespace domsnap::plan {

namespace {

void require(bool what, const std::string& words) {
    if (!what) throw std::logic_error(words);
}

struct Does {
    MemoryWorld& world;

    void make(const std::string& path, MemoryImage image) const {
        require(world.images.try_emplace(path, std::move(image)).second,
                "made over an existing file: " + path);
    }
    void freeze(const std::string& path, const std::string& tag) const {
        auto& image = world.images.at(path);
        require(image.format == "qcow2", "an internal snapshot in " + path);
        require(image.tags.try_emplace(tag, image.active).second, "a second internal snapshot " + tag);
    }
    void go_back(const std::string& path, const std::string& tag) const {
        auto& image = world.images.at(path);
        image.active = image.tags.at(tag);
    }
    void commit(const std::string& child, const std::string& base) const {
        require(world.images.at(child).backing == base, child + " does not rest on " + base);
        for (const auto& [block, content] : world.images.at(child).active)
            world.images.at(base).active[block] = content;
    }
    void put_on_overlays(const std::vector<OverlaySwitch>& overlays) const {
        for (const auto& one : overlays) {
            require(world.leaf.at(one.target) == one.base_path, "the guest writes elsewhere");
            require(world.nodes.at(one.base_path) == one.base_node, "no such node: " + one.base_node);
            require(world.nodes.at(one.overlay_path) == one.overlay_node,
                    "no such node: " + one.overlay_node);
            require(world.images.at(one.overlay_path).backing == one.base_path, "an overlay of another file");
            world.leaf[one.target] = one.overlay_path;
        }
    }
    void take_off_overlays(const std::vector<OverlaySwitch>& overlays) const {
        for (const auto& one : overlays)
            if (world.leaf[one.target] == one.overlay_path) {
                commit(one.overlay_path, one.base_path);
                world.leaf[one.target] = one.base_path;
            }
    }
    void put(std::map<std::string, std::string>& texts, const std::string& name,
             const std::string& text) const {
        if (text.empty())
            texts.erase(name);
        else
            texts[name] = text;
    }

    void operator()(const MakeOverlay& s) const { make(s.path, {"qcow2", s.backing, {}, {}, {}, 0}); }
    void operator()(const CopyImage& s) const { make(s.to, world.images.at(s.from)); }
    void operator()(const ReserveImage& s) const { make(s.path, {"memory", {}, {}, {}, {}, 0}); }
    void operator()(const MakeHolder& s) const { make(s.path, {"qcow2", {}, {}, {}, {}, 0}); }
    void operator()(const AddNode& s) const {
        require(world.nodes.try_emplace(s.path, s.node).second, "opened twice: " + s.path);
    }
    void operator()(const DropNode& s) const {
        std::erase_if(world.nodes, [&](const auto& entry) { return entry.second == s.node; });
    }
    void operator()(const SwitchDisks& s) const {
        for (const auto& one : s.internals)
            freeze(one.path, one.tag);
        put_on_overlays(s.overlays);
        if (!s.image.empty()) world.images.at(s.image).memory = world.memory;
    }
    void operator()(const SaveInternal& s) const {
        for (const auto& one : s.disks) {
            freeze(one.path, one.tag);
            if (one.node == s.vmstate_node) world.images.at(one.path).states[s.tag] = world.memory;
        }
        put_on_overlays(s.overlays);
    }
    void operator()(const AwaitCapture&) const {}
    void operator()(const FoldImage&) const {} // its memory images are whole; images_test.cpp has chains
    void operator()(const TryOut&) const {}
    void operator()(const PrepareGuest&) const {}
    // The world has no clock: whether its guest stands still or its file systems do changes nothing in it.
    void operator()(const HoldGuest&) const {}
    void operator()(const TakeImages&) const {}
    void operator()(const FreezeGuest&) const {}
    void operator()(const ThawGuest&) const {}
    void operator()(const NoteFrozen&) const {}
    // Its machines have neither UEFI nor a TPM.
    void operator()(const KeepFile&) const {}
    void operator()(const PutBack&) const {}
    void operator()(const CopyState&) const {}
    // It has one domain, which is no fork.
    void operator()(const PutFork&) const {}
    void operator()(const CreateInternal& s) const { freeze(s.path, s.tag); }
    void operator()(const DeleteInternal& s) const {
        world.images.at(s.path).tags.erase(s.tag);
        world.images.at(s.path).states.erase(s.tag);
    }
    void operator()(const ApplyInternal& s) const {
        require(!world.running, "an image was reverted below a running guest");
        go_back(s.path, s.tag);
    }
    void operator()(const PutDefinition& s) const { world.definition = s.text; }
    void operator()(const PutLive& s) const {
        if (world.running) world.live = s.text;
    }
    void operator()(const PutRecord& s) const { put(world.records, s.name, s.text); }
    void operator()(const RemoveRecord& s) const { world.records.erase(s.name); }
    void operator()(const SetCurrent& s) const { world.current = s.name; }
    void operator()(const EndGuest&) const { world.stop(); }
    void operator()(const KillGuest&) const { world.stop(); }
    void operator()(const AwaitEnd&) const {}
    void operator()(const ResumeGuest&) const { require(world.running, "no QEMU whose guest could run"); }
    void operator()(const StartGuest& s) const {
        world.start(s.text);
        if (s.from == StartGuest::From::memory) world.memory = world.images.at(s.image).memory;
        if (s.from == StartGuest::From::state) world.memory = world.images.at(s.image).states.at(s.tag);
        if (s.from != StartGuest::From::internal) return;
        for (const auto& target : s.targets)
            go_back(world.leaf.at(target), s.tag);
        world.memory = world.images.at(world.leaf.at(s.vmstate_target)).states.at(s.tag);
    }
    void operator()(const OpenImages& s) const {
        for (const auto& image : s.images) {
            require(world.images.contains(image.path), "no such image: " + image.path);
            require(world.nodes.try_emplace(image.path, image.node).second, "opened twice: " + image.path);
            require(image.below.empty() == world.images.at(image.path).backing.empty(),
                    "another node below " + image.path);
        }
    }
    void operator()(const CloseNodes& s) const {
        for (const auto& closed : s.nodes)
            if (const auto node = world.nodes.find(closed.path);
                node != world.nodes.end() && node->second == closed.node)
                world.nodes.erase(node);
    }
    void operator()(const PrepareState& s) const {
        make(s.path, {"state", {}, {}, {}, {}, 0});
        world.nodes[s.path] = s.node;
    }
    void operator()(const PutWarm& s) const { world.warm = s.text; }
    void operator()(const RewindGuest& s) const {
        for (const auto& drive : s.drives) {
            require(world.nodes.at(drive.path) == drive.node, "no such node: " + drive.node);
            require(world.images.at(drive.path).backing == drive.backing, "an overlay of another file");
            world.leaf.at(drive.target) = drive.path;
        }
        world.memory = world.images.at(s.image).memory;
        world.live = s.otherwise.text;
    }
    void operator()(const Merge& s) const {
        require(world.leaf.empty() || s.top_node.empty() == !world.nodes.contains(s.child),
                "nodes of " + s.child);
        for (const auto& [target, path] : world.leaf)
            require(path != s.child, "the guest still writes to " + s.child);
        commit(s.child, s.base);
    }
    void operator()(const CommitActive& s) const {
        require(world.running && world.leaf.at(s.target) == s.child,
                "the guest does not write to " + s.child);
        require(world.nodes.at(s.child) == s.top_node && world.nodes.at(s.base) == s.base_node,
                "other nodes");
        commit(s.child, s.base);
        world.leaf[s.target] = s.base;
        world.nodes.erase(s.child);
        if (!s.live.empty()) world.live = s.live;
        if (!s.definition.empty()) world.definition = s.definition;
    }
    void operator()(const Pull& s) const {
        auto& image = world.images.at(s.path);
        const auto& base = world.images.at(s.base);
        require(image.backing == s.base && base.backing == s.backing, "no such chain");
        require(s.node.empty() == !world.nodes.contains(s.path), "nodes of " + s.path);
        for (const auto& [block, content] : base.active)
            image.active.try_emplace(block, content);
        image.backing = s.backing;
        world.nodes.erase(s.base);
    }
    void operator()(const Rebase& s) const { world.images.at(s.path).backing = s.backing; }
    void operator()(const RemoveFile& s) const {
        require(world.images.erase(s.path) == 1, "removed what is not there: " + s.path);
        world.nodes.erase(s.path);
    }
};

struct Undoes {
    MemoryWorld& world;
    Does does{world};

    void operator()(const MakeOverlay& s) const { world.images.erase(s.path); }
    void operator()(const CopyImage& s) const { world.images.erase(s.to); }
    void operator()(const ReserveImage& s) const { world.images.erase(s.path); }
    void operator()(const MakeHolder& s) const { world.images.erase(s.path); }
    void operator()(const AddNode& s) const { world.nodes.erase(s.path); }
    void operator()(const OpenImages& s) const {
        for (const auto& image : s.images)
            world.nodes.erase(image.path);
    }
    void operator()(const PrepareState& s) const {
        world.nodes.erase(s.path);
        world.images.erase(s.path);
    }
    void operator()(const PutWarm& s) const { world.warm = s.old; }
    void operator()(const SwitchDisks& s) const {
        does.take_off_overlays(s.overlays);
        for (const auto& one : s.internals)
            world.images.at(one.path).tags.erase(one.tag);
    }
    void operator()(const SaveInternal& s) const {
        does.take_off_overlays(s.overlays);
        for (const auto& one : s.disks) {
            world.images.at(one.path).tags.erase(one.tag);
            world.images.at(one.path).states.erase(one.tag);
        }
    }
    void operator()(const CreateInternal& s) const { world.images.at(s.path).tags.erase(s.tag); }
    void operator()(const PutDefinition& s) const { world.definition = s.old; }
    void operator()(const PutLive& s) const {
        if (world.running) world.live = s.old;
    }
    void operator()(const PutRecord& s) const { does.put(world.records, s.name, s.old); }
    void operator()(const RemoveRecord& s) const { world.records[s.name] = s.old; }
    void operator()(const SetCurrent& s) const { world.current = s.old; }
    template <class Step>
    void operator()(const Step&) const {} ///< it has none, or nothing to take back
};

} // namespace

void MemoryWorld::apply(const Action& action) { std::visit(Does{*this}, action); }
void MemoryWorld::undo(const Action& action) { std::visit(Undoes{*this}, action); }

int MemoryWorld::read(const std::string& path, int block) const {
    if (path.empty()) return 0;
    const auto& image = images.at(path);
    const auto found = image.active.find(block);
    return found == image.active.end() ? read(image.backing, block) : found->second;
}

int MemoryWorld::read(const std::string& path, const std::string& tag, int block) const {
    const auto& image = images.at(path);
    const auto& frozen = image.tags.at(tag);
    const auto found = frozen.find(block);
    return found == frozen.end() ? read(image.backing, block) : found->second;
}

void MemoryWorld::start(const std::string& text) {
    const auto domain = model::domain_from(xml::parse(text, "live"));
    running = true;
    live = text;
    for (const auto& disk : domain.disks) {
        if (disk.empty()) continue;
        leaf[disk.target] = disk.source;
        unsigned number = 0;
        for (std::string path = disk.source; !path.empty(); path = images.at(path).backing)
            nodes[path] = disk.target + "-" + std::to_string(number++);
        next_node[disk.target] = number;
    }
}

void MemoryWorld::stop() {
    running = false;
    live.clear();
    leaf.clear();
    nodes.clear();
    memory = 0;
}

bool MemoryWorld::same_but_for_nodes(const MemoryWorld& other) const {
    return images == other.images && records == other.records && current == other.current &&
           definition == other.definition && live == other.live && running == other.running &&
           memory == other.memory && leaf == other.leaf;
}

} // namespace domsnap::plan
