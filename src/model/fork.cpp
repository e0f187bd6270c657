#include "model/fork.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::model {

namespace {

const char* yes_or_no(bool value) { return value ? "yes" : "no"; }

std::string required(const Element& element, const char* attribute) {
    if (auto value = element.attribute(attribute); !value.empty()) return value;
    throw Error(ErrorCode::corrupt, fmt::format("<{}> has no {}=", element.name, attribute));
}

WaitingMemory waiting_from(const Element& element) {
    const auto* domain = element.child("domain");
    if (!domain) throw Error(ErrorCode::corrupt, "<waiting> has no <domain>");
    return {element.attribute("paused") == "yes", element.attribute("quiesced") == "yes", *domain};
}

} // namespace

bool Fork::rests_on(const std::string& path) const {
    return (!image.empty() && image == path) ||
           std::any_of(disks.begin(), disks.end(), [&](const auto& disk) { return disk.file == path; });
}

Element to_element(const Fork& fork) {
    Element element("fork");
    if (!fork.adopted()) {
        element.set_attribute("origin", fork.origin);
        element.set_attribute("uuid", fork.origin_uuid);
        element.set_attribute("snapshot", fork.snapshot);
    }
    element.set_attribute("created", std::to_string(fork.created));
    for (const auto& disk : fork.disks) {
        auto& child = element.append(Element("disk"));
        child.set_attribute("name", disk.target);
        child.set_attribute("overlay", disk.overlay);
        if (!disk.file.empty()) child.set_attribute("file", disk.file);
        if (disk.modified) child.set_attribute("modified", std::to_string(disk.modified));
    }
    if (!fork.image.empty()) {
        auto& memory = element.append(Element("memory"));
        memory.set_attribute("file", fork.image);
        memory.set_attribute("hash", fork.hash);
    }
    if (fork.memory) {
        auto& waiting = element.append(Element("waiting"));
        waiting.set_attribute("paused", yes_or_no(fork.memory->paused));
        waiting.set_attribute("quiesced", yes_or_no(fork.memory->quiesced));
        waiting.append(fork.memory->domain, 1);
    }
    return element;
}

Fork fork_from(const Element& element) {
    if (element.name != "fork") throw Error(ErrorCode::corrupt, "it is no note of a fork");
    Fork fork;
    if (element.find_attribute("origin")) {
        fork.origin = required(element, "origin");
        fork.origin_uuid = required(element, "uuid");
        fork.snapshot = required(element, "snapshot");
    }
    fork.created = static_cast<int64_t>(text::to_u64(element.attribute("created")).value_or(0));
    for (const auto* disk : element.elements("disk"))
        fork.disks.push_back({required(*disk, "name"), required(*disk, "overlay"),
                              fork.adopted() ? "" : required(*disk, "file"),
                              text::to_u64(disk->attribute("modified")).value_or(0)});
    if (const auto* memory = element.child("memory")) {
        fork.image = required(*memory, "file");
        fork.hash = required(*memory, "hash");
    }
    if (const auto* waiting = element.child("waiting")) fork.memory = waiting_from(*waiting);
    return fork;
}

} // namespace domsnap::model
