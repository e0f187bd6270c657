#include "plan/names.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::plan {

/// At most max bytes, without half a UTF-8 sequence at the end.
static std::string cut(std::string text, size_t max) {
    if (text.size() <= max) return text;
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xc0) == 0x80)
        --max;
    text.resize(max);
    return text;
}

std::string file_part(const std::string& snapshot_name) {
    std::string out = snapshot_name;
    for (char& c : out)
        if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '_';
    return cut(out, 150); // leaves room for the disk's own name within a file name's 255 bytes
}

std::string kept_words(const std::string& role) { return role == "nvram" ? "NVRAM" : "TPM's state"; }

std::string kept_name(const std::string& snapshot, int64_t creation_time, const std::string& ending) {
    return fmt::format("{}.{}.{}", file_part(snapshot), creation_time, ending);
}

static std::string claim(const std::string& wanted, std::set<std::string>& taken) {
    std::string path = wanted;
    for (unsigned n = 1; !taken.insert(path).second; ++n)
        path = fmt::format("{}-{}", wanted, n);
    return path;
}

std::string free_overlay(const std::string& source, const std::string& ending, std::set<std::string>& taken) {
    std::string name = text::base_name(source);
    const auto dot = name.rfind('.');
    if (dot != std::string::npos && dot > 0) name.resize(dot);
    return free_path(text::folder_of(source), fmt::format("{}.{}", cut(name, 90), file_part(ending)), taken);
}

std::string free_path(const std::string& folder, const std::string& name, std::set<std::string>& taken) {
    return claim(folder == "/" ? "/" + name : fmt::format("{}/{}", folder, name), taken);
}

} // namespace domsnap::plan
