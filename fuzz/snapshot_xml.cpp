// Any bytes as a <domainsnapshot>: refused, or read the same again after it was written; and laid over a
// domain's disks.
#include "base/error.h"
#include "xml/document.h"
#include "xml/snapshot.h"

#include <cstdint>
#include <cstdlib>

using namespace domsnap;

static const char* const lab = "<domain type='kvm'><name>lab</name><memory>1</memory><devices>"
                               "<disk><source file='/images/vda.qcow2'/><target dev='vda'/></disk>"
                               "<disk snapshot='no'><source file='/images/vdb'/><target dev='vdb'/></disk>"
                               "<disk device='cdrom'><target dev='sda'/></disk></devices></domain>";

/// noexcept: what we wrote must be accepted.
static void read_again(const model::Snapshot& snapshot, xml::SnapshotParseOptions options) noexcept {
    const auto text =
        model::to_pretty_text(model::to_element(snapshot, {.security_info = true, .points = true}));
    options.record = options.redefine || options.record;
    options.redefine = false;
    if (!(xml::parse_snapshot(text, options, "again") == snapshot)) std::abort();
}

static void align(model::Snapshot snapshot, bool disk_only) {
    static const auto domain = model::domain_from(xml::parse(lab, "lab"));
    xml::align_disks(snapshot, domain, xml::default_disk_location(snapshot, disk_only));
    if (snapshot.disks.size() != domain.disks.size()) std::abort();
    xml::generate_overlays(snapshot, domain);
}

static void read(std::string_view text, const xml::SnapshotParseOptions& options) try {
    const auto snapshot = xml::parse_snapshot(text, options, "given.xml");
    read_again(snapshot, options);
    align(snapshot, options.disk_only);
} catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read(text, {});
    read(text, {.disk_only = true});
    read(text, {.redefine = true});
    read(text, {.record = true});
    return 0;
}
