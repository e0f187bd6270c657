#include "rpc/disk_formats.h"

#include "base/text.h"
#include "model/element.h"
#include "rpc/storage.h"
#include "xml/document.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

std::optional<Volume> volume_of(Call& call, const std::string& path) {
    if (!text::starts_with_slash(path) || !pool_of_folder(call, text::folder_of(path))) return std::nullopt;
    return volume(call.host().folders(), path);
}

void refuse(const model::Element& disk, const Volume& volume) {
    const auto* target = disk.child("target");
    throw Error(
        ErrorCode::invalid_request,
        fmt::format(
            "disk '{}' does not say its format, and {} looks like {}, resting on another file: a guest "
            "could have written that",
            target ? target->attribute("dev") : "", volume.path, volume.format),
        "say it: <driver name='qemu' type='qcow2'/>, with virt-install --disk "
        "…,driver.name=qemu,driver.type=qcow2");
}

/// Whether it was changed.
bool complete(Call& call, model::Element& disk) {
    auto* driver = disk.child("driver");
    const auto* source = disk.child("source");
    if (disk.attribute("type") != "file" || disk.attribute("device", "disk") != "disk" || !source ||
        (driver && driver->find_attribute("type")))
        return false;
    const auto volume = volume_of(call, source->attribute("file"));
    if (!volume) return false;
    if (!volume->known && !volume->alone) refuse(disk, *volume);
    if (!driver) driver = &disk.insert_before("source", model::Element("driver"), 2);
    if (!driver->find_attribute("name")) driver->set_attribute("name", "qemu");
    driver->set_attribute("type", volume->format);
    return true;
}

} // namespace

std::string with_disk_formats(Call& call, const std::string& xml) {
    auto root = xml::parse(xml, "(domain_definition)");
    auto* devices = root.child("devices");
    bool changed = false;
    if (devices)
        for (auto* disk : devices->elements("disk"))
            changed = complete(call, *disk) || changed;
    return changed ? model::to_text(root) : xml;
}

} // namespace domsnap::rpc
