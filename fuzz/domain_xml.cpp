// Any bytes as a <domain>: refused, or written and read without loss; and every edit leaves a domain.
#include "base/error.h"
#include "model/domain.h"
#include "xml/document.h"

#include <cstdint>
#include <cstdlib>

using namespace domsnap;

static void must(bool condition) {
    if (!condition) std::abort();
}

/// noexcept: what we wrote must be accepted.
static void write_and_read(const model::Element& document) noexcept {
    const auto written = model::to_text(document);
    must(model::to_text(xml::parse(written, "written")) == written);
    must(model::same_content(xml::parse(model::to_pretty_text(document), "pretty"), document));
}

static void edit(model::Domain domain) noexcept {
    model::set_uuid(domain, "41dd38ec-050b-4454-a97f-1188824721c1");
    model::set_machine(domain, "pc-q35-7.2");
    for (const auto& disk : std::vector(domain.disks))
        model::set_disk_source(domain, disk.target, "file", "/overlay", "qcow2");
    const auto again = model::domain_from(xml::parse(model::to_pretty_text(domain.document), "edited"));
    must(again.name == domain.name && again.uuid == domain.uuid && again.disks.size() == domain.disks.size());
    for (const auto& disk : again.disks)
        must(disk.source == "/overlay" && disk.format == "qcow2");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto document = xml::parse(text, "given.xml");
    write_and_read(document);
    edit(model::domain_from(document));
    return 0;
} catch (const Error& error) {
    must(std::string_view(error.what()).find('\n') == std::string_view::npos);
    return 0;
}
