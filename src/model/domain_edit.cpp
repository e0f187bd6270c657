// Changes to a domain that keep its document and its view in step.
#include "model/domain.h"

#include "base/error.h"

#include <fmt/format.h>

namespace domsnap::model {

static Element* find_disk_element(Domain& domain, const std::string& target) {
    auto* devices = domain.document.child("devices");
    if (!devices) return nullptr;
    for (auto* disk : devices->elements("disk")) {
        const auto* element = disk->child("target");
        if (element && element->attribute("dev") == target) return disk;
    }
    return nullptr;
}

static void set_driver_format(Element& disk, const std::string& format) {
    if (auto* driver = disk.child("driver")) {
        driver->set_attribute("type", format);
        return;
    }
    Element driver("driver");
    driver.set_attribute("name", "qemu");
    driver.set_attribute("type", format);
    disk.insert_before(disk.child("source") ? "source" : "target", std::move(driver), 2);
}

static void set_source_path(Element& disk, const std::string& type, const std::string& path) {
    disk.set_attribute("type", type);
    auto* source = disk.child("source");
    if (!source) source = &disk.insert_before("target", Element("source"), 2);
    // index= numbers the chain of one run of QEMU in libvirt's own dumps.
    for (const char* stale : {"file", "dev", "dir", "protocol", "name", "pool", "volume", "index"})
        source->remove_attribute(stale);
    source->attributes.insert(source->attributes.begin(), {type == "block" ? "dev" : "file", path});
}

void set_disk_source(Domain& domain, const std::string& target, const std::string& type,
                     const std::string& path, const std::string& format) {
    auto* element = find_disk_element(domain, target);
    if (!element)
        throw Error(ErrorCode::not_found, fmt::format("domain '{}' has no disk '{}'", domain.name, target));
    element->remove("backingStore");
    set_driver_format(*element, format);
    set_source_path(*element, type, path);
    for (auto& disk : domain.disks) {
        if (disk.target != target) continue;
        disk.type = type;
        disk.source = path;
        disk.format = format;
    }
}

void set_machine(Domain& domain, const std::string& machine) {
    auto* os = domain.document.child("os");
    if (!os) os = &domain.document.insert_before("devices", Element("os"));
    auto* type = os->child("type");
    if (!type) {
        type = &os->append(Element("type"), 1);
        type->set_text("hvm");
    }
    type->set_attribute("machine", machine);
    domain.machine = machine;
}

void set_uuid(Domain& domain, const std::string& uuid) {
    auto* element = domain.document.child("uuid");
    if (!element) {
        // libvirt writes it right after the name.
        const auto all = domain.document.elements();
        const Element* after_name = nullptr;
        for (size_t i = 0; i + 1 < all.size(); ++i)
            if (all[i]->name == "name") after_name = all[i + 1];
        const auto before = after_name ? after_name->name : std::string{};
        element = &domain.document.insert_before(before, Element("uuid"));
    }
    element->set_text(uuid);
    domain.uuid = uuid;
}

void set_name(Domain& domain, const std::string& name) {
    check_domain_name(name);
    auto* element = domain.document.child("name");
    if (!element) element = &domain.document.append(Element("name"));
    element->set_text(name);
    domain.name = name;
}

/// What libvirt's formatter writes only with VIR_DOMAIN_DEF_FORMAT_SECURE: the passwords of displays, and the
/// cookies of http(s) disks.
static void remove_secrets(Element& element) {
    if (element.name == "graphics")
        for (const char* secret : {"passwd", "passwdValidTo", "connected"})
            element.remove_attribute(secret);
    if (element.name == "source") element.remove("cookies");
    for (auto& node : element.children)
        if (node.kind == Node::Kind::element) remove_secrets(node.element.front());
}

Element without_secrets(Element domain) {
    remove_secrets(domain);
    return domain;
}

} // namespace domsnap::model
