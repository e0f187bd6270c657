#include "model/known_file.h"

#include "base/error.h"
#include "base/text.h"

#include <array>
#include <fmt/format.h>
#include <utility>

namespace domsnap::model {

namespace {

constexpr std::array roles{
    std::pair{FileRole::given, "given"},   std::pair{FileRole::overlay, "overlay"},
    std::pair{FileRole::copy, "copy"},     std::pair{FileRole::memory, "memory"},
    std::pair{FileRole::holder, "holder"}, std::pair{FileRole::nvram, "nvram"},
    std::pair{FileRole::tpm, "tpm"},
};

void set_number(Element& element, const char* name, uint64_t value) {
    element.set_attribute(name, std::to_string(value));
}

void set_text(Element& element, const char* name, const std::string& value) {
    if (!value.empty()) element.set_attribute(name, value);
}

void set_yes(Element& element, const char* name, bool value) {
    element.set_attribute(name, value ? "yes" : "no");
}

uint64_t number(const Element& element, const char* name) {
    if (const auto value = text::to_u64(element.attribute(name))) return *value;
    throw Error(ErrorCode::corrupt, fmt::format("<{}> has no number '{}'", element.name, name));
}

const Element& required(const Element& element, const char* name) {
    if (const auto* child = element.child(name)) return *child;
    throw Error(ErrorCode::corrupt, fmt::format("<{}> has no <{}>", element.name, name));
}

Element header_element(const KnownHeader& header) {
    Element element("qcow2");
    set_number(element, "version", header.version);
    set_number(element, "cluster", header.cluster_size);
    set_number(element, "size", header.virtual_size);
    set_number(element, "features", header.features);
    set_text(element, "backing", header.backing);
    set_text(element, "format", header.backing_format);
    set_text(element, "data", header.data_file);
    return element;
}

KnownHeader header_from(const Element& element) {
    return {.version = number(element, "version"),
            .cluster_size = number(element, "cluster"),
            .virtual_size = number(element, "size"),
            .features = number(element, "features"),
            .backing = element.attribute("backing"),
            .backing_format = element.attribute("format"),
            .data_file = element.attribute("data")};
}

} // namespace

const char* to_string(FileRole role) {
    for (const auto& [key, word] : roles)
        if (key == role) return word;
    return "";
}

std::optional<FileRole> file_role_from(std::string_view word) {
    for (const auto& [key, known] : roles)
        if (word == known) return key;
    return std::nullopt;
}

namespace {

std::string changed(const char* what, const std::string& now, const std::string& was) {
    return fmt::format("has another header: its {} is {}, and was {}", what,
                       now.empty() ? "none" : text::printable(now), was.empty() ? "none" : was);
}

std::string header_difference(const KnownHeader& known, const KnownHeader& now) {
    if (known.backing != now.backing) return changed("backing file", now.backing, known.backing);
    if (known.backing_format != now.backing_format)
        return changed("backing file's format", now.backing_format, known.backing_format);
    if (known.data_file != now.data_file) return changed("data file", now.data_file, known.data_file);
    if (known.virtual_size != now.virtual_size)
        return changed("virtual size", text::human_size(now.virtual_size),
                       text::human_size(known.virtual_size));
    return known == now ? "" : "has another header: it is another image";
}

} // namespace

std::string difference(const KnownFile& known, const KnownFile& now, bool frozen) {
    if (known.header && now.header)
        if (auto words = header_difference(*known.header, *now.header); !words.empty()) return words;
    if (!known.frozen || !frozen) return {};
    if (known.content.hash != now.content.hash) return "is another memory image";
    if (!known.content.hash.empty()) return {}; // its checksums say more than its times
    if (now.content.size < known.content.size)
        return fmt::format("was cut from {} to {}", text::human_size(known.content.size),
                           text::human_size(now.content.size));
    const bool same =
        known.content.size == now.content.size && known.content.modified == now.content.modified;
    return same ? "" : "was written to";
}

bool is_elsewhere(const KnownFile& known, const KnownFile& now) {
    return known.place.inode != now.place.inode || known.place.born != now.place.born;
}

Element to_element(const KnownFile& file) {
    Element element("file");
    element.set_attribute("path", file.path);
    element.set_attribute("role", to_string(file.role));
    set_yes(element, "made", file.made);
    set_yes(element, "frozen", file.frozen);
    auto& place = element.append(Element("place"));
    set_number(place, "device", file.place.device);
    set_number(place, "inode", file.place.inode);
    set_number(place, "born", file.place.born);
    auto& content = element.append(Element("content"));
    set_number(content, "size", file.content.size);
    set_number(content, "modified", file.content.modified);
    set_text(content, "hash", file.content.hash);
    set_text(content, "parent", file.content.parent);
    if (file.header) element.append(header_element(*file.header));
    return element;
}

KnownFile known_file_from(const Element& element) {
    KnownFile file;
    file.path = element.attribute("path");
    const auto role = file_role_from(element.attribute("role"));
    if (element.name != "file" || !text::starts_with_slash(file.path) || !role)
        throw Error(ErrorCode::corrupt, "it is no entry of a file");
    file.role = *role;
    file.made = element.attribute("made") == "yes";
    file.frozen = element.attribute("frozen") == "yes";
    const auto& place = required(element, "place");
    file.place = {number(place, "device"), number(place, "inode"), number(place, "born")};
    const auto& content = required(element, "content");
    file.content = {number(content, "size"), number(content, "modified"), content.attribute("hash"),
                    content.attribute("parent")};
    if (const auto* header = element.child("qcow2")) file.header = header_from(*header);
    return file;
}

} // namespace domsnap::model
