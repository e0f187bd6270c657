#include "plan/merge.h"

#include "plan/document.h"
#include "plan/points.h"

#include <algorithm>

namespace domsnap::plan {

using model::Snapshot;

namespace {

std::string target_of(const Collection& c, const std::string& path) {
    for (const auto& disk : c.disks)
        if (std::find(disk.files.begin(), disk.files.end(), path) != disk.files.end()) return disk.target;
    return {};
}

/// The node that the device of this node's chain reads and writes.
std::string device_node(const Collection& c, const std::string& node) {
    for (const auto& disk : c.disks)
        if (std::find(disk.nodes.begin(), disk.nodes.end(), node) != disk.nodes.end())
            return disk.nodes.front();
    return {};
}

void repoint(model::Domain& domain, const std::string& from, const FileFacts& to) {
    const auto disks = domain.disks; // set_disk_source changes the list
    for (const auto& disk : disks)
        if (disk.source == from) model::set_disk_source(domain, disk.target, "file", to.path, to.format);
}

struct Documents {
    std::string live, definition; ///< "" = it did not change
    std::string old_live, old_definition;
};

Documents repoint_documents(Collection& c, const std::string& from, const FileFacts& to) {
    Documents documents;
    if (c.facts.has_process && uses(c.live, from)) {
        documents.old_live = document_text(c.live);
        repoint(c.live, from, to);
        documents.live = document_text(c.live);
    }
    repoint(c.live, from, to);
    if (!uses(c.definition, from)) return documents;
    documents.old_definition = document_text(c.definition);
    repoint(c.definition, from, to);
    documents.definition = document_text(c.definition);
    return documents;
}

/// The record's own documents name the file too: what dumpxml shows stays true.
void repoint_element(std::vector<model::Element>& documents, const std::string& from, const FileFacts& to) {
    if (documents.empty()) return;
    const std::string root = documents.front().name;
    documents.front().name = "domain";
    model::Domain domain = model::domain_from(std::move(documents.front()));
    repoint(domain, from, to);
    documents.front() = std::move(domain.document);
    documents.front().name = root;
}

bool repoint_points(Snapshot& snapshot, const std::string& from, const FileFacts& to) {
    bool changed = false;
    for (auto& disk : snapshot.disks)
        if (disk.point && disk.point->file == from) {
            disk.point->file = to.path;
            disk.point->format = to.format;
            changed = true;
        }
    return changed;
}

/// The overlay that a snapshot put on top is the file that now plays its part; the name of one that is gone
/// might be somebody else's tomorrow.
bool repoint_sources(Snapshot& snapshot, const std::string& from, const FileFacts& to) {
    bool changed = false;
    for (auto& disk : snapshot.disks)
        if (disk.source == from) {
            disk.source = to.path;
            disk.source_element.clear();
            if (!disk.driver.empty()) disk.driver = to.format;
            changed = true;
        }
    return changed;
}

bool names(const Snapshot& snapshot, const std::string& file) {
    return std::any_of(snapshot.disks.begin(), snapshot.disks.end(), [&](const auto& disk) {
        return disk.source == file || (disk.point && disk.point->file == file);
    });
}

void repoint_records(Collection& c, const std::string& from, const FileFacts& to) {
    for (auto& snapshot : c.remaining) {
        if (!names(snapshot, from)) continue; // a copy of each record for each merge would be much
        const Snapshot old = snapshot;
        const bool points = repoint_points(snapshot, from, to);
        if (points) {
            repoint_element(snapshot.domain, from, to);
            repoint_element(snapshot.inactive_domain, from, to);
        }
        if (repoint_sources(snapshot, from, to) || points) put_record(c, snapshot, old);
    }
    c.points = FrozenPoints(c.remaining);
}

/// QEMU writes the header of what it has open itself; after a crash in the midst this does.
void rebase_overlays(Collection& c, const std::string& from, const FileFacts& to) {
    for (const auto& path : overlays_of(c.files, from)) {
        auto& overlay = c.files.at(path);
        overlay.backing = to.path;
        overlay.backing_format = to.format;
        c.plan.steps.push_back(Rebase{path, overlay.format, to.path, to.format});
    }
}

void put_documents(Collection& c, const Documents& documents) {
    if (!documents.live.empty()) c.plan.steps.push_back(PutLive{documents.live, documents.old_live});
    if (!documents.definition.empty())
        c.plan.steps.push_back(PutDefinition{documents.definition, documents.old_definition});
}

void take_out_of_chains(Collection& c, const std::string& path) {
    for (auto& disk : c.disks) {
        const auto at = std::find(disk.files.begin(), disk.files.end(), path);
        if (at == disk.files.end()) continue;
        if (!disk.nodes.empty()) disk.nodes.erase(disk.nodes.begin() + (at - disk.files.begin()));
        disk.files.erase(at);
    }
}

} // namespace

void plan_commit(Collection& c, const std::string& child_path, const std::string& base_path) {
    const FileFacts child = c.files.at(child_path), base = c.files.at(base_path);
    const auto top = node_of(c, child_path);
    const auto base_node = top.empty() ? "" : node_of(c, base_path);
    const auto device = device_node(c, top);
    const auto target = target_of(c, child_path);
    const auto job = c.job("merge");
    const auto documents = repoint_documents(c, child_path, base);
    if (!top.empty() && top == device) {
        c.plan.steps.push_back(CommitActive{target, child_path, child.format, base_path, base.format, top,
                                            base_node, job, documents.live, documents.definition});
    } else {
        c.plan.steps.push_back(Merge{target, child_path, child.format, base_path, base.format,
                                     top.empty() ? "" : device, top, base_node, job});
        put_documents(c, documents);
    }
    c.plan.space += child.actual_size;
    repoint_records(c, child_path, base);
    rebase_overlays(c, child_path, base);
    c.plan.steps.push_back(RemoveFile{child_path, "its content is in " + base_path});
    c.files.at(base_path).actual_size += child.actual_size;
    take_out_of_chains(c, child_path);
    c.files.erase(child_path);
}

void plan_pull(Collection& c, const std::string& child_path, const std::string& base_path) {
    FileFacts& child = c.files.at(child_path);
    const FileFacts base = c.files.at(base_path);
    const auto node = node_of(c, child_path);
    c.plan.steps.push_back(Pull{target_of(c, child_path), child_path, child.format, base_path, base.backing,
                                base.backing_format, node, node.empty() ? "" : node_of(c, base_path),
                                node.empty() ? "" : node_of(c, base.backing), c.job("pull")});
    c.plan.space += base.actual_size;
    child.backing = base.backing;
    child.backing_format = base.backing_format;
    child.actual_size += base.actual_size;
    repoint_records(c, base_path, child);
    c.plan.steps.push_back(RemoveFile{base_path, "its content is in " + child_path});
    take_out_of_chains(c, base_path);
    c.files.erase(base_path);
}

} // namespace domsnap::plan
