#include "model/snapshot.h"

namespace domsnap::model {

namespace {

void add_text(Element& parent, const char* name, std::string_view text, int depth = 0) {
    parent.append(Element(name), depth).set_text(text);
}

void add_memory(Element& root, const SnapshotMemory& memory) {
    if (memory.location == Location::omitted && memory.file.empty()) return;
    auto& element = root.append(Element("memory"));
    if (memory.location != Location::omitted) element.set_attribute("snapshot", to_string(memory.location));
    if (!memory.file.empty()) element.set_attribute("file", memory.file);
    if (!memory.disk.empty()) element.set_attribute("disk", memory.disk);
}

/// The <source> as it was given, with the path that was decided since.
Element source_of(const SnapshotDisk& disk) {
    Element source = disk.source_element.empty() ? Element("source") : disk.source_element.front();
    const char* path = disk.type == "block" ? "dev" : "file";
    if (!disk.source.empty() && !source.find_attribute(path))
        source.attributes.insert(source.attributes.begin(), {path, disk.source});
    else if (!disk.source.empty())
        source.set_attribute(path, disk.source);
    return source;
}

Element disk_element(const SnapshotDisk& disk, bool for_request) {
    Element element("disk");
    element.set_attribute("name", disk.name);
    if (disk.location != Location::omitted) element.set_attribute("snapshot", to_string(disk.location));
    const bool has_source = !disk.source.empty() || !disk.source_element.empty();
    // libvirt says the type only where there is a file or a format; virsh's own --print-xml only where it is
    // not "file".
    if (for_request ? disk.type != "file" : has_source || !disk.driver.empty())
        element.set_attribute("type", disk.type);
    if (!disk.driver.empty()) element.append(Element("driver"), 2).set_attribute("type", disk.driver);
    if (has_source) element.append(source_of(disk), 2);
    return element;
}

void add_disks(Element& root, const Snapshot& snapshot, bool for_request) {
    if (snapshot.disks.empty() && !(for_request && snapshot.has_disks)) return;
    auto& disks = root.append(Element("disks"));
    for (const auto& disk : snapshot.disks)
        disks.append(disk_element(disk, for_request), 1);
}

void set_point(Element& element, const DiskPoint& point) {
    element.set_attribute("file", point.file);
    element.set_attribute("format", point.format);
    if (!point.tag.empty()) element.set_attribute("tag", point.tag);
}

Element point_element(const SnapshotDisk& disk) {
    Element point("domsnap:point");
    point.set_attribute("name", disk.name);
    set_point(point, *disk.point);
    return point;
}

void add_kept(Element& points, const char* name, const std::optional<KeptState>& kept) {
    if (!kept) return;
    auto& element = points.append(Element(name), 1);
    if (!kept->file.empty()) element.set_attribute("file", kept->file);
}

void add_points(Element& root, const Snapshot& snapshot) {
    Element points("domsnap:points");
    points.set_attribute("xmlns:domsnap", record_namespace);
    points.set_attribute("version", snapshot.nvram || snapshot.tpm || snapshot.quiesced ? "2" : "1");
    if (snapshot.memory_point) set_point(points.append(Element("domsnap:memory"), 1), *snapshot.memory_point);
    if (snapshot.quiesced) points.append(Element("domsnap:quiesced"), 1);
    add_kept(points, "domsnap:nvram", snapshot.nvram);
    add_kept(points, "domsnap:tpm", snapshot.tpm);
    for (const auto& disk : snapshot.disks)
        if (disk.point) points.append(point_element(disk), 1);
    if (!points.children.empty()) root.append(std::move(points));
}

void add_document(Element& root, const std::vector<Element>& document, const char* name, bool security_info) {
    if (document.empty()) return;
    Element copy = security_info ? document.front() : without_secrets(document.front());
    copy.name = name;
    set_indentation(copy, 2);
    root.append(std::move(copy));
}

} // namespace

Element to_element(const Snapshot& snapshot, const FormatOptions& options) {
    Element root("domainsnapshot");
    if (!snapshot.name.empty()) add_text(root, "name", snapshot.name);
    if (!snapshot.description.empty() || (options.for_request && snapshot.has_description))
        add_text(root, "description", snapshot.description);
    if (snapshot.state != SnapshotState::no_state) add_text(root, "state", to_string(snapshot.state));
    if (!snapshot.parent.empty()) add_text(root.append(Element("parent")), "name", snapshot.parent, 1);
    if (snapshot.creation_time != 0) add_text(root, "creationTime", std::to_string(snapshot.creation_time));
    add_memory(root, snapshot.memory);
    add_disks(root, snapshot, options.for_request);
    if (options.points) add_points(root, snapshot);
    add_document(root, snapshot.domain, "domain", options.security_info);
    add_document(root, snapshot.inactive_domain, "inactiveDomain", options.security_info);
    add_document(root, snapshot.cookie, "cookie", true);
    return root;
}

} // namespace domsnap::model
