#include "engine/memory_file.h"

#include "base/error.h"
#include "engine/firmware.h"
#include "engine/session.h"
#include "memory/capture.h"
#include "memory/save_file.h"

#include <fmt/format.h>

namespace domsnap::engine {

using memory::SaveFile;

static memory::ImageIdentity identity_of_saved(const SaveFile& file) {
    try {
        const auto domain = parse_domain(file.domain_xml(), "(saved domain)");
        return {.domain_uuid = domain.uuid,
                .domain_hash = {},
                .machine = domain.machine,
                .ram_size = domain.memory,
                .qemu_version = {},
                .created = 0};
    } catch (const Error& error) {
        throw Error(ErrorCode::corrupt, fmt::format("the domain that '{}' was saved of cannot be read: {}",
                                                    file.path(), error.what()));
    }
}

memory::ImageIdentity identity_of_memory(const std::string& path) {
    return SaveFile::is_one(path) ? identity_of_saved(SaveFile::open(path))
                                  : memory::ImageReader::open(path).identity();
}

memory::VerifyHooks check_hooks(const Control& control) {
    return {[&](uint64_t done, uint64_t total) { control.report("checking memory", done, total); },
            [&] { return control.cancelled(); }};
}

void verify_memory(const std::string& path, const Control& control) {
    const auto hooks = check_hooks(control);
    if (SaveFile::is_one(path))
        memory::verify_stream(SaveFile::open(path), &hooks);
    else
        memory::verify_pages(memory::ImageReader::open(path), &hooks);
}

void write_memory(const model::Domain& domain, const std::string& path, int out, const Control& control,
                  bool without_main) {
    if (SaveFile::is_one(path))
        memory::write_stream(SaveFile::open(path), out, control);
    else
        memory::write_stream(memory::ImageReader::open(path), out, control, flash_content(domain),
                             without_main);
}

} // namespace domsnap::engine
