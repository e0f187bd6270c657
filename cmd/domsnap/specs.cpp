#include "specs.h"

#include <domsnap/error.h>

#include <fmt/format.h>
#include <map>

namespace domsnap::cli {

std::vector<std::string> split_spec(const std::string& spec) {
    std::vector<std::string> parts(1);
    for (size_t i = 0; i < spec.size(); ++i) {
        if (spec[i] != ',')
            parts.back() += spec[i];
        else if (i + 1 < spec.size() && spec[i + 1] == ',')
            parts.back() += spec[i++];
        else
            parts.emplace_back();
    }
    return parts;
}

[[noreturn]] static void refuse(const std::string& what, const std::string& spec, const std::string& form) {
    throw Error(ErrorCode::invalid_request, fmt::format("unable to parse {}: {}", what, spec),
                "the form is " + form);
}

static constexpr const char* memory_form = "[file=]/path[,snapshot=type], with ,, for a comma in the path";
static constexpr const char* disk_form =
    "disk[,snapshot=type][,driver=type][,stype=type][,file=name], with ,, for a comma in a name";

using Fields = std::map<std::string, std::string>;

/// "key=value" into fields; false for an unknown key or one that was there already.
static bool add_field(Fields& fields, const std::string& part, const std::vector<std::string>& keys) {
    for (const auto& key : keys)
        if (part.starts_with(key + "=")) return fields.emplace(key, part.substr(key.size() + 1)).second;
    return false;
}

static void copy_attribute(const Fields& fields, const std::string& key, model::Element& element,
                           const std::string& attribute) {
    if (const auto field = fields.find(key); field != fields.end())
        element.set_attribute(attribute, field->second);
}

model::Element memory_from_spec(const std::string& spec) {
    Fields fields;
    for (const auto& part : split_spec(spec)) {
        const bool bare_path = part.starts_with('/') && fields.emplace("file", part).second;
        if (!bare_path && !add_field(fields, part, {"file", "snapshot"}))
            refuse("memspec", spec, memory_form);
    }
    model::Element memory("memory");
    copy_attribute(fields, "snapshot", memory, "snapshot");
    copy_attribute(fields, "file", memory, "file");
    return memory;
}

static model::Element source_of(const Fields& fields) {
    model::Element source("source");
    const auto type = fields.find("stype");
    copy_attribute(fields, "file", source, type != fields.end() && type->second == "block" ? "dev" : "file");
    return source;
}

model::Element disk_from_spec(const std::string& spec) {
    const auto parts = split_spec(spec);
    Fields fields;
    for (size_t i = 1; i < parts.size(); ++i)
        if (!add_field(fields, parts[i], {"snapshot", "driver", "stype", "file"}))
            refuse("diskspec", spec, disk_form);
    const auto type = fields.find("stype");
    const bool known_type = type == fields.end() || type->second == "file" || type->second == "block";
    if (parts[0].empty() || !known_type) refuse("diskspec", spec, disk_form);
    model::Element disk("disk"), driver("driver");
    disk.set_attribute("name", parts[0]);
    copy_attribute(fields, "snapshot", disk, "snapshot");
    copy_attribute(fields, "stype", disk, "type");
    copy_attribute(fields, "driver", driver, "type");
    if (fields.contains("driver")) disk.append(driver, 2);
    if (fields.contains("file")) disk.append(source_of(fields), 2);
    return disk;
}

std::string snapshot_document(const SnapshotOptions& options) {
    model::Element root("domainsnapshot");
    const auto add_text = [&](const char* name, const std::string& text) {
        if (!text.empty()) root.append(model::Element(name)).set_text(text);
    };
    add_text("name", options.name);
    add_text("description", options.description);
    if (!options.memory.empty()) root.append(memory_from_spec(options.memory));
    if (!options.disks.empty()) {
        auto& disks = root.append(model::Element("disks"));
        for (const auto& spec : options.disks)
            disks.append(disk_from_spec(spec), 1);
    }
    if (root.children.empty()) return "<domainsnapshot>\n</domainsnapshot>\n"; // as virsh, with both tags
    return model::to_pretty_text(root);
}

} // namespace domsnap::cli
