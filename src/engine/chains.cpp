// Chains of images, for QEMU's command line and for dumpxml.
#include "base/error.h"
#include "base/text.h"
#include "engine/observe.h"
#include "image/qemu_img.h"
#include "os/file.h"

#include <fmt/format.h>
#include <unistd.h>

namespace domsnap::engine {

std::map<std::string, std::vector<machine::ChainImage>> chains_of(const model::Domain& domain) {
    std::map<std::string, std::vector<machine::ChainImage>> chains;
    for (const auto& disk : domain.disks) {
        if (disk.empty()) continue;
        try {
            for (const auto& one : image::chain(disk.source, disk.format))
                chains[disk.target].push_back({one.path, one.format});
        } catch (const Error& error) {
            throw Error(error.code(),
                        fmt::format("disk '{}' of domain '{}': {}", disk.target, domain.name, error.what()),
                        error.hint());
        }
    }
    return chains;
}

static model::Element backing_store(const std::vector<machine::ChainImage>& chain, size_t at) {
    model::Element store("backingStore");
    if (at >= chain.size()) return store;
    store.set_attribute("type", "file");
    model::Element format("format"), source("source");
    format.set_attribute("type", chain[at].format);
    source.set_attribute("file", chain[at].path);
    const int depth = 3 + static_cast<int>(at) - 1;
    store.append(std::move(format), depth);
    store.append(std::move(source), depth);
    store.append(backing_store(chain, at + 1), depth);
    return store;
}

void show_chain(model::Domain& domain, const std::string& target,
                const std::vector<machine::ChainImage>& chain) {
    auto* devices = domain.document.child("devices");
    if (!devices) return;
    for (auto* disk : devices->elements("disk")) {
        const auto* element = disk->child("target");
        if (!element || element->attribute("dev") != target) continue;
        disk->remove("backingStore");
        disk->insert_before("target", backing_store(chain, 1), 2);
    }
}

uint64_t resident_memory(const os::ProcessId& process) {
    try {
        const auto fields =
            text::split(os::read_file_start(fmt::format("/proc/{}/statm", process.pid), 256), ' ');
        return fields.size() > 1
                   ? text::to_u64(fields[1]).value_or(0) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE))
                   : 0;
    } catch (const Error&) {
        return 0; // it ended while we looked
    }
}

} // namespace domsnap::engine
