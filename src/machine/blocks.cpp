// A disk's images as -blockdev nodes of ours, the lowest first.
#include "machine/build.h"
#include "machine/disk_address.h"
#include "machine/image_node.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

/// <driver cache=>, as libvirt's table has it: what QEMU's block layer does. (The guest's write cache is the
/// device's.)
Json cache_of(const model::Element& driver) {
    const auto mode = word_of(driver, "cache", "default",
                              {"default", "none", "writeback", "writethrough", "directsync", "unsafe"});
    if (mode == "default") return nullptr;
    return {{"direct", mode == "none" || mode == "directsync"}, {"no-flush", mode == "unsafe"}};
}

std::string detect_zeroes(const model::Element& driver, bool unmaps) {
    const auto mode = word_of(driver, "detect_zeroes", "off", {"off", "on", "unmap"});
    // QEMU refuses 'unmap' where discarding is off; libvirt takes it for 'on'.
    return mode == "unmap" && !unmaps ? "on" : mode;
}

/// What every node of one disk has in common.
struct Style {
    Json cache;
    std::string aio, detect_zeroes = "off";
    bool unmaps = false;
};

Style style_of(const model::Element& element) {
    Style style;
    const auto* driver = element.child("driver");
    if (!driver) return style;
    style.cache = cache_of(*driver);
    style.aio = word_of(*driver, "io", "", {"native", "threads", "io_uring"});
    style.unmaps = word_of(*driver, "discard", "ignore", {"ignore", "unmap"}) == "unmap";
    style.detect_zeroes = detect_zeroes(*driver, style.unmaps);
    if (style.aio == "native" && !(style.cache.is_object() && style.cache["direct"] == true))
        refuse_attribute(*driver, "io", "native I/O needs cache='none' or cache='directsync'");
    return style;
}

/// QEMU's "file" driver takes regular files only, "host_device" none. Backing files have no <disk type=> of
/// their own; /dev/shm is a folder of ordinary files, and a link anywhere may lead to a device: what is there
/// decides.
bool is_device(const model::Disk& disk, const ChainImage& image, bool top) {
    if (const auto there = os::file_info(image.path)) return there->is_block;
    return (top && disk.type == "block") || image.path.starts_with("/dev/");
}

Json file_node(const model::Disk& disk, const ChainImage& image, const Style& style, const std::string& name,
               bool top) {
    Json node{{"driver", is_device(disk, image, top) ? "host_device" : "file"}, {"node-name", name}};
    node["filename"] = image.path;
    node["locking"] = "on";
    // Opened for writing when somebody above it writes: so a commit can reopen a backing image, and a file
    // that nobody may write can still be read.
    node["auto-read-only"] = true;
    node["discard"] = "unmap"; // what the node above lets through
    if (!style.cache.is_null()) node["cache"] = style.cache;
    if (!style.aio.empty()) node["aio"] = style.aio;
    return node;
}

void add_style(Json& node, const Style& style) {
    if (!style.cache.is_null()) node["cache"] = style.cache;
    if (style.unmaps) node["discard"] = "unmap";
    if (style.detect_zeroes != "off") node["detect-zeroes"] = style.detect_zeroes;
}

Json format_node(const model::Disk& disk, const ChainImage& image, const Style& style, unsigned number,
                 bool top) {
    Json node{{"driver", image.format}, {"node-name", node_name(disk.target, number)}};
    node["read-only"] = disk.readonly || !top;
    add_style(node, style);
    node["file"] = node_name(disk.target, number) + "-file";
    // Said even where there is none, so that QEMU never opens what a header names.
    if (image.format == "qcow2")
        node["backing"] = number > 0 ? Json(node_name(disk.target, number - 1)) : Json(nullptr);
    return node;
}

std::vector<ChainImage> chain_of(const Build& build, const model::Disk& disk, const model::Element& element) {
    const auto found = build.facts.chains.find(disk.target);
    auto chain = found == build.facts.chains.end() || found->second.empty()
                     ? std::vector<ChainImage>{{disk.source, disk.format}}
                     : found->second;
    for (const auto& image : chain) {
        if (image.format != "qcow2" && image.format != "raw")
            refuse(element, fmt::format("the image '{}' has the format '{}'", image.path, image.format),
                   "convert it to qcow2 or raw with qemu-img convert");
        if (image.format == "raw" && &image != &chain.back())
            refuse(element, "a raw image has no backing file");
    }
    return chain;
}

/// Something of the same size that opens nothing: the images may be in use by the guest that runs.
void add_trial_node(Build& build, const model::Disk& disk, unsigned number) {
    const auto size = build.facts.virtual_sizes.find(disk.target);
    build.arguments.json("-blockdev",
                         {{"driver", "null-co"},
                          {"node-name", node_name(disk.target, number)},
                          {"size", size == build.facts.virtual_sizes.end() ? 1u << 20 : size->second},
                          {"read-zeroes", true},
                          {"read-only", disk.readonly}});
}

} // namespace

nlohmann::json image_node(const model::Domain& domain, const std::string& target, const ChainImage& image,
                          const std::string& name, const std::string& below, bool read_only) {
    const auto* disk = domain.find_disk(target);
    if (!disk) throw Error(ErrorCode::not_found, fmt::format("the domain has no disk '{}'", target));
    const auto style = style_of(disk_element(domain, *disk));
    Json node{{"driver", image.format}, {"node-name", name}, {"read-only", read_only}};
    add_style(node, style);
    node["file"] = file_node(*disk, image, style, name + "-file", !read_only);
    if (image.format == "qcow2") node["backing"] = below.empty() ? Json(nullptr) : Json(below);
    return node;
}

std::string node_name(const std::string& target, unsigned number) {
    const auto name = fmt::format("{}-{}", target, number);
    // QEMU's limit is 31 bytes, and "-file" must fit too.
    if (name.size() > 26)
        throw Error(ErrorCode::unsupported,
                    fmt::format("the disk's target '{}' is too long for QEMU", text::printable(target)));
    return name;
}

void add_block_nodes(Build& build, const model::Disk& disk, const model::Element& element) {
    const auto style = style_of(element);
    const auto chain = chain_of(build, disk, element);
    const auto top = static_cast<unsigned>(chain.size() - 1);
    if (build.facts.trial) return add_trial_node(build, disk, top);
    for (unsigned number = 0; number <= top; ++number) {
        const auto& image = chain[top - number];
        const auto name = node_name(disk.target, number) + "-file";
        build.arguments.json("-blockdev", file_node(disk, image, style, name, number == top));
        build.arguments.json("-blockdev", format_node(disk, image, style, number, number == top));
    }
}

} // namespace domsnap::machine
