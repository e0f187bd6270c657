// <memory>, <memoryBacking>, <iothreads>: guest RAM is anonymous, the one kind that can be snapshotted while
// it runs.
#include "machine/build.h"

#include "base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

constexpr const char* anonymous_only = "guest memory must be anonymous: QEMU's background-snapshot refuses "
                                       "other kinds or stops the guest for seconds";

bool check_backing(const model::Element& backing) {
    only_children(backing,
                  {"nosharepages", "source", "access", "allocation", "hugepages", "locked", "discard"});
    for (const auto* unwanted : {"hugepages", "locked"})
        if (const auto* element = backing.child(unwanted)) refuse(*element, anonymous_only);
    if (const auto* source = backing.child("source"); source && source->attribute("type") != "anonymous")
        refuse_attribute(*source, "type", anonymous_only);
    if (const auto* access = backing.child("access"); access && access->attribute("mode") != "private")
        refuse_attribute(*access, "mode", anonymous_only);
    const auto* allocation = backing.child("allocation");
    if (!allocation) return false;
    only_attributes(*allocation, {"mode"});
    return word_of(*allocation, "mode", "ondemand", {"immediate", "ondemand"}) == "immediate";
}

void add_iothreads(Build& build) {
    const auto* iothreads = build.document().child("iothreads");
    if (!iothreads) return;
    const auto count = text::to_u64(iothreads->text());
    if (!count || *count > 256) refuse(*iothreads, "not a number of threads");
    for (uint64_t i = 1; i <= *count; ++i)
        build.arguments.json("-object", {{"qom-type", "iothread"}, {"id", fmt::format("iothread{}", i)}});
}

} // namespace

void add_memory(Build& build) {
    const auto& document = build.document();
    const auto* backing = document.child("memoryBacking");
    const bool preallocate = backing && check_backing(*backing);
    build.arguments.option("-m", fmt::format("size={}k", build.domain.memory / 1024));
    Json ram{{"qom-type", "memory-backend-ram"}, {"id", "pc.ram"}, {"size", build.domain.memory}};
    // A trial need not fill the host's memory to learn whether QEMU accepts the document.
    if (preallocate && !build.facts.trial) ram["prealloc"] = true;
    build.arguments.json("-object", ram);
    add_iothreads(build);
}

} // namespace domsnap::machine
