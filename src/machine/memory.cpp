// <memory>, <memoryBacking>, <iothreads>: guest RAM is anonymous, the one kind that can be snapshotted while
// it runs, or mapped from a memory image.
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

/// Writing to the guest's RAM copies the page; the file stays as it is, and its pages are in memory once for
/// all who map it.
Json mapped_ram(const Build& build) {
    Json ram{{"qom-type", "memory-backend-file"},
             {"mem-path", build.facts.ram_image},
             {"share", false}};
    // QEMU before 8.2 has no rom=, and with readonly= alone it maps the guest's RAM so that nobody can write
    // it (seen on 7.2): there the file is opened for writing. See os/keep_holes_out.h.
    if (can_open_ram_readonly(build.facts)) ram["readonly"] = true, ram["rom"] = "off";
    return ram;
}

} // namespace

bool can_open_ram_readonly(const CommandLineFacts& facts) {
    return facts.qemu_major > 8 || (facts.qemu_major == 8 && facts.qemu_minor >= 2);
}

void add_memory(Build& build) {
    const auto& document = build.document();
    const auto* backing = document.child("memoryBacking");
    const bool preallocate = backing && check_backing(*backing);
    build.arguments.option("-m", fmt::format("size={}k", build.domain.memory / 1024));
    const bool mapped = !build.facts.ram_image.empty() && !build.facts.trial;
    Json ram = mapped ? mapped_ram(build) : Json{{"qom-type", "memory-backend-ram"}};
    ram["id"] = "pc.ram";
    ram["size"] = build.domain.memory;
    // A trial need not fill the host's memory to learn whether QEMU accepts the document, and filling a
    // mapping would copy the image.
    if (preallocate && !build.facts.trial && !mapped) ram["prealloc"] = true;
    build.arguments.json("-object", ram);
    add_iothreads(build);
}

} // namespace domsnap::machine
