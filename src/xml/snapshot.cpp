#include "xml/snapshot.h"

#include "base/text.h"
#include "xml/document.h"
#include "xml/refusal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace domsnap::xml {

using model::Element;
using model::Location;
using model::Snapshot;
using model::SnapshotDisk;
using model::SnapshotMemory;
using model::SnapshotState;

namespace {

struct Reader {
    SnapshotParseOptions options;
    Place at;

    bool whole() const { return options.redefine || options.record; }
};

/// The content, untrimmed, of the first child of that name: blanks count, as in libvirt.
std::string content_at(const Element& root, std::string_view path) {
    const auto* element = root.at(path);
    return element ? element->content() : std::string{};
}

void read_name(const Reader& reader, const Element& root, Snapshot& snapshot) {
    snapshot.name = content_at(root, "name");
    if (reader.options.record) return;
    if (snapshot.name.empty()) {
        if (reader.options.redefine)
            reader.at.refuse(root, "XML error: a redefined snapshot must have a name");
        return;
    }
    try {
        model::check_snapshot_name(snapshot.name);
    } catch (const Error& error) {
        reader.at.refuse(*root.child("name"), error.what(), error.hint());
    }
}

void read_description(const Element& root, Snapshot& snapshot) {
    snapshot.has_description = root.child("description") != nullptr;
    snapshot.description = content_at(root, "description");
}

void read_state(const Reader& reader, const Element& root, Snapshot& snapshot) {
    const auto* element = root.child("state");
    if (!element || element->content().empty())
        reader.at.refuse(root, "XML error: missing state from existing snapshot");
    const auto state = model::snapshot_state_from(element->content());
    if (!state || *state == SnapshotState::no_state)
        reader.at.refuse(
            *element,
            fmt::format("unsupported configuration: Invalid state '{}' in domain snapshot XML",
                        element->content()),
            "states are running, blocked, paused, shutdown, shutoff, crashed, pmsuspended, disk-snapshot");
    snapshot.state = *state;
}

void read_creation_time(const Reader& reader, const Element& root, Snapshot& snapshot) {
    // libvirt prints no time where it is 0, and asks for one all the same when such a snapshot is redefined.
    if (reader.options.record && !root.child("creationTime")) return;
    const auto digits = content_at(root, "creationTime");
    const char* end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, snapshot.creation_time);
    if (error == std::errc{} && stopped == end) return;
    const auto* element = root.child("creationTime");
    reader.at.refuse(element ? *element : root, "internal error: missing creationTime from existing snapshot",
                     "<creationTime> holds whole seconds since 1970");
}

Location memory_location(const Reader& reader, const Element& memory) {
    if (const auto* word = memory.find_attribute("snapshot")) {
        const auto location = model::location_from(*word);
        if (!location) reader.at.refuse_value(memory, "snapshot", "it is no, internal or external");
        if (*location == Location::manual)
            reader.at.refuse(memory, "XML error: 'manual' memory snapshot mode not supported");
        return *location;
    }
    if (memory.find_attribute("file")) return Location::external;
    return memory.find_attribute("disk") ? Location::internal : Location::omitted;
}

SnapshotMemory memory_from(const Reader& reader, const Element& element) {
    SnapshotMemory memory;
    memory.location = memory_location(reader, element);
    memory.file = element.attribute("file");
    memory.disk = element.attribute("disk");
    const bool has_file = element.find_attribute("file");
    if (has_file && memory.location != Location::external)
        reader.at.refuse(
            element, fmt::format("XML error: memory filename '{}' requires external snapshot", memory.file));
    if (element.find_attribute("disk") && memory.location != Location::internal)
        reader.at.refuse(element,
                         fmt::format("XML error: memory disk '{}' requires internal snapshot", memory.disk));
    if (has_file && !text::starts_with_slash(memory.file))
        reader.at.refuse(
            element, fmt::format("XML error: memory snapshot file path ({}) must be absolute", memory.file));
    return memory;
}

/// A redefined snapshot says what there is: its memory follows from its state where it is not said, must
/// agree with it, and must have been given a file.
void complete_memory(const Reader& reader, const Element& where, Snapshot& snapshot) {
    auto& memory = snapshot.memory;
    const bool without =
        snapshot.state == SnapshotState::shutoff || snapshot.state == SnapshotState::disk_snapshot;
    if (memory.location == Location::omitted) memory.location = without ? Location::no : Location::internal;
    if (without && memory.location != Location::no)
        reader.at.refuse(where, "XML error: memory state cannot be saved with offline or disk-only snapshot");
    if (memory.location == Location::external && memory.file.empty())
        reader.at.refuse(where, "XML error: external memory snapshots require a filename");
}

void read_memory(const Reader& reader, const Element& root, Snapshot& snapshot) {
    const auto* element = root.child("memory");
    if (element) snapshot.memory = memory_from(reader, *element);
    if (reader.options.redefine)
        complete_memory(reader, element ? *element : root, snapshot);
    else if (reader.options.disk_only && snapshot.memory.location == Location::omitted)
        snapshot.memory.location = Location::no;
}

std::string disk_type(const Reader& reader, const Element& disk) {
    static constexpr std::array known{"file",   "block", "dir",       "network",
                                      "volume", "nvme",  "vhostuser", "vhostvdpa"};
    const auto type = disk.attribute("type", "file");
    if (std::find(known.begin(), known.end(), type) == known.end())
        reader.at.refuse_value(disk, "type", "it is file or block");
    if (type != "file" && type != "block" && type != "network")
        reader.at.refuse(disk, fmt::format("XML error: unsupported disk snapshot type '{}'", type));
    return type;
}

std::string driver_format(const Reader& reader, const Element& disk) {
    static constexpr std::array known{"raw", "dir", "bochs", "cloop", "dmg",  "iso",   "vpc", "vdi", "luks",
                                      "fat", "vhd", "ploop", "cow",   "qcow", "qcow2", "qed", "vmdk"};
    const auto* driver = disk.child("driver");
    const auto format = driver ? driver->attribute("type") : std::string{};
    if (!format.empty() && std::find(known.begin(), known.end(), format) == known.end())
        reader.at.refuse(*driver,
                         fmt::format("unsupported configuration: unknown disk snapshot driver '{}'", format),
                         "an overlay is qcow2");
    return format;
}

void read_source(const Reader& reader, const Element& element, SnapshotDisk& disk) {
    const auto* source = element.child("source");
    if (!source) return;
    const bool network = disk.type == "network";
    const char* attribute = disk.type == "block" ? "dev" : "file";
    if (!network) disk.source = source->attribute(attribute);
    if (!disk.source.empty() && !text::starts_with_slash(disk.source))
        reader.at.refuse(
            *source, fmt::format("XML error: disk snapshot image path '{}' must be absolute", disk.source));
    Element kept = *source;
    if (disk.source.empty() && !network) kept.remove_attribute(attribute);
    if (!kept.attributes.empty() || !kept.elements().empty()) disk.source_element.push_back(std::move(kept));
}

SnapshotDisk disk_from(const Reader& reader, const Element& element) {
    SnapshotDisk disk;
    const auto* name = element.find_attribute("name");
    if (!name) reader.at.refuse(element, "internal error: missing name from disk snapshot element");
    disk.name = *name;
    if (const auto* word = element.find_attribute("snapshot")) {
        const auto location = model::location_from(*word);
        if (!location) reader.at.refuse_value(element, "snapshot", "it is no, internal, external or manual");
        disk.location = *location;
    }
    disk.type = disk_type(reader, element);
    read_source(reader, element, disk);
    disk.driver = driver_format(reader, element);
    const bool has_target = !disk.source.empty() || (disk.type == "network" && !disk.source_element.empty());
    if (disk.location == Location::omitted && (has_target || !disk.driver.empty()))
        disk.location = Location::external;
    return disk;
}

void read_disks(const Reader& reader, const Element& root, Snapshot& snapshot) {
    for (const auto* disks : root.elements("disks")) {
        snapshot.has_disks = true;
        // Whatever its name: libvirt takes every child for a disk.
        for (const auto* element : disks->elements())
            snapshot.disks.push_back(disk_from(reader, *element));
    }
}

void read_documents(const Reader& reader, const Element& root, Snapshot& snapshot) {
    if (const auto* domain = root.child("domain")) snapshot.domain.push_back(*domain);
    if (const auto* domain = root.child("inactiveDomain")) snapshot.inactive_domain.push_back(*domain);
    if (const auto* cookie = root.child("cookie")) snapshot.cookie.push_back(*cookie);
    const auto active = root.text_at("active");
    if (active == "0" || active == "1") snapshot.active = active == "1";
    if (reader.options.record) return;
    // Old libvirt wrote <domain><uuid>…</uuid></domain> and no more: it has no type, and is left alone.
    if (!snapshot.domain.empty() && snapshot.domain.front().find_attribute("type"))
        static_cast<void>(model::domain_from(snapshot.domain.front()));
    if (!snapshot.inactive_domain.empty())
        static_cast<void>(model::domain_from(snapshot.inactive_domain.front()));
}

void read_points(const Reader& reader, const Element& root, Snapshot& snapshot) {
    const auto* points = root.child("domsnap:points");
    if (!points) return;
    if (const auto version = points->attribute("version"); version != "1" && version != "2")
        reader.at.refuse(*points, "the record was written by a newer domsnap",
                         "use that version or a later one");
    if (const auto* memory = points->child("domsnap:memory"))
        snapshot.memory_point = {memory->attribute("file"), memory->attribute("format"),
                                 memory->attribute("tag")};
    snapshot.quiesced = points->child("domsnap:quiesced") != nullptr;
    if (const auto* nvram = points->child("domsnap:nvram"))
        snapshot.nvram = model::KeptState{nvram->attribute("file")};
    if (const auto* tpm = points->child("domsnap:tpm"))
        snapshot.tpm = model::KeptState{tpm->attribute("file")};
    for (const auto* point : points->elements("domsnap:point")) {
        const auto disk =
            std::find_if(snapshot.disks.begin(), snapshot.disks.end(),
                         [&](const SnapshotDisk& d) { return d.name == point->attribute("name"); });
        if (disk == snapshot.disks.end())
            reader.at.refuse(*point, fmt::format("a point of a disk '{}' that the record does not list",
                                                 point->attribute("name")));
        disk->point = {point->attribute("file"), point->attribute("format"), point->attribute("tag")};
    }
}

Snapshot read(const Reader& reader, const Element& root) {
    Snapshot snapshot;
    read_name(reader, root, snapshot);
    read_description(root, snapshot);
    if (reader.whole()) {
        read_state(reader, root, snapshot);
        read_creation_time(reader, root, snapshot);
        snapshot.parent = content_at(root, "parent/name");
    }
    read_memory(reader, root, snapshot);
    read_disks(reader, root, snapshot);
    if (reader.whole()) read_documents(reader, root, snapshot);
    if (reader.options.record) read_points(reader, root, snapshot);
    return snapshot;
}

Place place(const SnapshotParseOptions& options, const std::string& source) {
    return {source, options.record ? ErrorCode::corrupt : ErrorCode::invalid_request};
}

} // namespace

Snapshot snapshot_from(const Element& root, const SnapshotParseOptions& options) {
    return read({options, place(options, {})}, root);
}

Snapshot parse_snapshot(std::string_view text, const SnapshotParseOptions& options,
                        const std::string& source) {
    return read({options, place(options, source)}, parse_root(text, "domainsnapshot", source));
}

} // namespace domsnap::xml
