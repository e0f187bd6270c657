// The header line of definitions, records and the current snapshot's name.
#include "base/error.h"
#include "base/text.h"
#include "store/checksum.h"
#include "store/store.h"

#include <fmt/format.h>

namespace domsnap::store {

static constexpr uint64_t version = 1;
static constexpr std::string_view header_start = "<!-- domsnap ",
                                  header_end = "; change it with domsnap only -->";

std::string wrap(std::string_view kind, std::string_view xml) {
    return fmt::format("{}{} {} {}{}\n{}", header_start, kind, version, checksum_text(xml), header_end, xml);
}

[[noreturn]] static void refuse(const std::string& path, std::string_view why) {
    throw Error(ErrorCode::corrupt, fmt::format("{}: {}", path, why),
                "restore the file from a backup; domsnap's files must be changed through domsnap only");
}

/// The version's number, after which the header may say whatever a newer domsnap likes.
static std::string_view after_version(std::string_view kind, std::string_view header,
                                      const std::string& path) {
    const std::string start = fmt::format("{}{} ", header_start, kind);
    if (!header.starts_with(start)) refuse(path, fmt::format("not a domsnap {} file", kind));
    header.remove_prefix(start.size());
    const auto number = text::to_u64(header.substr(0, header.find(' ')));
    if (!number || *number == 0) refuse(path, "the version in its first line cannot be read");
    if (*number > version)
        throw Error(ErrorCode::unsupported,
                    fmt::format("{}: written by a newer domsnap (format {}, this one knows {})", path,
                                *number, version),
                    "use the newer domsnap");
    return header.substr(header.find(' ') + 1);
}

std::string unwrap(std::string_view kind, std::string_view content, const std::string& path) {
    const auto line_end = content.find('\n');
    const auto rest = after_version(kind, content.substr(0, line_end), path);
    if (line_end == std::string_view::npos || rest.size() < checksum_digits ||
        rest.substr(checksum_digits) != header_end)
        refuse(path, "its first line is damaged");
    const auto document = content.substr(line_end + 1);
    if (checksum_text(document) != rest.substr(0, checksum_digits))
        refuse(path, "its content does not match the checksum in its first line");
    return std::string(document);
}

} // namespace domsnap::store
